/** The package has no types of its own; what is used of it here is as in browsers. */
declare module "ws" {
  export const WebSocket: typeof globalThis.WebSocket;
}

/** Version of the control and bulk protocols; `docs/protocol.md` is their text and history. */
export const PROTOCOL_VERSION = 1;

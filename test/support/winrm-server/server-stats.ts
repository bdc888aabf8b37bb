/** One operation that reached the host. */
interface OperationRecord {
  readonly name: string;
  /** Number of the connection it came on, from 1. */
  readonly connection: number;
  readonly isSealed: boolean;
  readonly user: string;
  readonly messageId: string;
  /** Code of the fault it was answered with. */
  readonly faultCode?: number;
}

/** What a server has seen, for tests to look at. */
export interface ServerStats {
  connections: number;
  openConnections: number;
  /** HTTP requests, those of handshakes included. */
  requests: number;
  /** NEGOTIATE_MESSAGEs that came. */
  handshakes: number;
  logins: number;
  readonly failedLogins: { readonly user: string; readonly why: string }[];
  /** `HTTP/…` names that clients asked for. */
  readonly targetNames: string[];
  /** Channel bindings that came with a login, hex. */
  readonly channelBindings: string[];
  /** Passwords that came in the clear without TLS. */
  cleartextPasswords: number;
  /** Requests in the clear that were refused for it. */
  refusedCleartext: number;
  /** Sealed messages that did not verify. */
  brokenSeals: number;
  readonly operations: OperationRecord[];
  readonly commandLines: string[];
}

export function emptyStats(): ServerStats {
  return {
    connections: 0,
    openConnections: 0,
    requests: 0,
    handshakes: 0,
    logins: 0,
    failedLogins: [],
    targetNames: [],
    channelBindings: [],
    cleartextPasswords: 0,
    refusedCleartext: 0,
    brokenSeals: 0,
    operations: [],
    commandLines: [],
  };
}

/** How one exchange with a target failed, as the retry table reads it. */

/** Where the connection to a target broke. */
export type TransportFault =
  | "name-unresolved"
  | "connect-refused"
  | "connect-timeout"
  | "tls-failed"
  /** The connection broke after the request was sent, before the reply began. */
  | "reset-before-headers"
  /** The reply had begun, but nothing of it was passed on yet. */
  | "reset-after-headers"
  /** What came is not HTTP. */
  | "not-http";

/** What a target itself said of its failure, in the body of an error or in an event of a stream. */
export interface SaidFailure {
  /** Of the reply; what an event of a stream names instead, if it names one. */
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly type: string | undefined;
  readonly message: string | undefined;
}

/** What kept a call from its target before it was sent. */
export type GateRefusal =
  | "queue-full"
  | "queue-timeout"
  | "breaker-open"
  /** What the request says cannot be said to this target. */
  | "untranslatable"
  /** A limit of its model or provider is used up. */
  | "limit-reached";

export type AttemptFailure =
  | ({ readonly kind: "said" } & SaidFailure)
  | { readonly kind: "transport"; readonly fault: TransportFault }
  | { readonly kind: "gate"; readonly refusal: GateRefusal }
  | { readonly kind: "deadline"; readonly deadline: "connect" | "first-token" | "inter-token" }
  /** The reply is not in the wire format that it should be in. */
  | { readonly kind: "reply-invalid" }
  /** A stream ended, or a plain reply broke off, before it was whole and before anything was passed on. */
  | { readonly kind: "reply-cut" };

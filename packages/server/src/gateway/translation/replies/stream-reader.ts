/** What reads a provider's stream; there is one for each surface. */

/** Throws `provider_response_invalid` for what is not in the wire format. */
export interface StreamReader {
  /** Takes one event: its name, where the provider gives names, and its data. */
  read(event: string | undefined, data: string): void;
  /** Whether the provider's own terminator, or its error, has come. */
  readonly finished: boolean;
}

/** What the simulated provider can do with one surface: answer its requests, and say its errors. */

import { type Answer, composeAnswer, outputTokensOf } from "./answer.ts";
import type { Behaviour } from "./behaviour.ts";
import type { SimulatedRequest } from "./request.ts";

export interface SimulatedSurface {
  /** Throws `request_malformed` or `request_invalid`, as a provider would refuse. */
  reply(body: Buffer, moment: SimulatedMoment): SimulatedReply;
  /** The error that was asked for, as the body of a reply. */
  errorBody(status: number): object;
  /** The same in the middle of a stream. */
  errorEvent(status: number): string;
}

export interface SimulatedMoment {
  readonly behaviour: Behaviour;
  readonly createdSeconds: number;
}

export interface SimulatedReply {
  readonly stream: boolean;
  /** Pieces of the answer; each takes its time. */
  readonly tokenCount: number;
  /** The body of a plain reply. */
  whole(): string;
  /** The events of a stream in order, without the terminator. */
  events(): Iterable<SimulatedEvent>;
  /** What ends the stream; asked for once the events were given. */
  terminator(): string;
}

/** One event of a stream. */
export interface SimulatedEvent {
  readonly bytes: string;
  /** Whether it carries a piece of the answer: these come at their pace, the others at once. */
  readonly isToken: boolean;
}

/** The wire format of a surface that answers with text. */
export interface TextWire extends Pick<SimulatedSurface, "errorBody" | "errorEvent"> {
  read(body: Buffer): SimulatedRequest;
  whole(answer: Answer, context: WireContext): string;
  events(answer: Answer, context: WireContext): Iterable<SimulatedEvent>;
  readonly terminator: string;
}

export interface WireContext {
  readonly model: string;
  readonly createdSeconds: number;
  readonly includeUsage: boolean;
}

/** A surface that answers with text in a wire format. */
export function textSurface(wire: TextWire): SimulatedSurface {
  return {
    reply: (body, { behaviour, createdSeconds }) => {
      const request = wire.read(body);
      const answer = composeAnswer(request, behaviour);
      const { model, includeUsage } = request;
      const context = { model, includeUsage, createdSeconds };
      return {
        stream: request.stream,
        tokenCount: outputTokensOf(answer),
        whole: () => wire.whole(answer, context),
        events: () => wire.events(answer, context),
        terminator: () => wire.terminator,
      };
    },
    errorBody: wire.errorBody,
    errorEvent: wire.errorEvent,
  };
}

/** Says in every reply that no language model is behind it. */
export const simulatedFingerprint = "fp_simulated_no_language_model";

/** The message of the errors that a behaviour asks for. */
export function simulatedMessage(status: number): string {
  return `The simulated provider was asked to fail with status ${status}.`;
}

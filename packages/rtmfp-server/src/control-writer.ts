/** Writes commands and their answers to a connection's control flow. */
import { RtmfpError } from "rtmfp-core";
import {
  AmfError,
  type AmfObject,
  type AmfValue,
  encodeCommand,
  encodeUserControl,
  type MessageTree,
  type ObjectEncoding,
  type StatusCode,
  statusInfo,
  type UserControl,
} from "rtmfp-core/tc";

/** Who counts what a writer does. */
export interface WriterHost {
  /** A message was queued. */
  onSent(bytes: number): void;
  /** A message did not fit. */
  onDropped(): void;
}

/** What does not fit into the flow's buffer is dropped: a client that does not listen costs no more than that. */
export class ControlWriter {
  /** How objects are encoded; settled by `connect`. */
  objectEncoding: ObjectEncoding = 0;
  readonly #tree: MessageTree;
  readonly #host: WriterHost;
  /** Commands that wait for {@link release}. */
  #held: Uint8Array[] | undefined;

  constructor(tree: MessageTree, host: WriterHost) {
    this.#tree = tree;
    this.#host = host;
  }

  /** Keeps commands back from now on. */
  hold(): void {
    this.#held = [];
  }

  /** Writes the commands kept back. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) this.#write(message);
  }

  /**
   * Sends a command. @throws AmfError for a value that AMF cannot carry. Throws FLOW_BUFFER_FULL if too many commands
   * are kept back, and when a call that waits for an answer does not fit.
   */
  command(name: string, transactionId: number, args: readonly AmfValue[]): void {
    const message = this.#encode(name, transactionId, args);
    if (this.#held === undefined) {
      const isWritten = this.#write(message);
      if (!isWritten && transactionId !== 0)
        throw new RtmfpError("FLOW_BUFFER_FULL", `${name}: the client is too slow`);
    } else if (this.#held.length < MAX_HELD_COMMANDS) this.#held.push(message);
    else throw new RtmfpError("FLOW_BUFFER_FULL", "too many messages wait for the client to be accepted");
  }

  control(control: UserControl): void {
    this.#write(encodeUserControl(control));
  }

  /** Answers a call with a value, or with an error if AMF cannot carry it. */
  reply(transactionId: number, value: AmfValue): void {
    if (transactionId === 0) return;
    let message: Uint8Array;
    try {
      message = this.#encode("_result", transactionId, [value]);
    } catch (error) {
      if (!(error instanceof AmfError)) throw error;
      this.fail(transactionId, `The reply cannot be sent: ${error.message}`);
      return;
    }
    this.#write(message);
  }

  /** Answers a call with `NetConnection.Call.Failed`. */
  fail(transactionId: number, description: string): void {
    if (transactionId !== 0) this.status("_error", transactionId, "NetConnection.Call.Failed", description);
  }

  /** Sends a status event, past what is kept back. @throws AmfError for a value in `more` that AMF cannot carry. */
  status(
    name: "_result" | "_error" | "onStatus",
    transactionId: number,
    code: StatusCode,
    description: string,
    more: AmfObject = {},
    objectEncoding: ObjectEncoding = this.objectEncoding,
  ): void {
    this.#write(this.#encode(name, transactionId, [statusInfo(code, description, more)], objectEncoding));
  }

  #encode(
    name: string,
    transactionId: number,
    args: readonly AmfValue[],
    objectEncoding: ObjectEncoding = this.objectEncoding,
  ): Uint8Array {
    return encodeCommand({ name, transactionId, commandObject: null, args }, { objectEncoding });
  }

  #write(message: Uint8Array): boolean {
    try {
      this.#tree.control.write(message);
      this.#host.onSent(message.length);
      return true;
    } catch (error) {
      if (!(error instanceof RtmfpError)) throw error;
      this.#host.onDropped();
      return false;
    }
  }
}

/** Commands kept for a client until it is accepted. */
const MAX_HELD_COMMANDS = 256;

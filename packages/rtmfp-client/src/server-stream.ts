/** One stream of a server connection: its ID and the flow for its commands (RFC 7425 §5.3.5). */
import { RtmfpError } from "rtmfp-core";
import {
  type AmfValue,
  decodeCommand,
  encodeCommand,
  MAX_STREAM_ID,
  MessageType,
  type RtmpMessage,
  type StatusEvent,
  type TreeSendFlow,
} from "rtmfp-core/tc";
import type { ConnectionCore, StreamInput } from "./connection-core.ts";
import { makeStatus, statusError, streamStatus } from "./status-error.ts";

export class ServerStream {
  readonly core: ConnectionCore;
  readonly id: number;
  readonly commands: TreeSendFlow;

  private constructor(core: ConnectionCore, id: number) {
    this.core = core;
    this.id = id;
    this.commands = core.tree.openFlow(id, { priority: "immediate" });
  }

  /** Asks the server for a stream; its messages go to `input`. Rejects with the server's error event, or when aborted. */
  static async create(core: ConnectionCore, input: StreamInput, signal: AbortSignal): Promise<ServerStream> {
    const id = await requestId(core, signal);
    if (typeof id !== "number" || !Number.isInteger(id) || id < 1 || id > MAX_STREAM_ID || core.hasStream(id))
      throw statusError(makeStatus("NetStream.Failed", "the server gave no usable stream ID"));
    const stream = new ServerStream(core, id);
    core.routeStream(id, input);
    return stream;
  }

  command(name: string, args: readonly AmfValue[]): void {
    if (!this.commands.isOpen) return;
    this.commands.write(encodeCommand({ name, transactionId: 0, commandObject: null, args }, this.core));
  }

  /** Ends the stream once the server has what was written to `flows`. */
  end(flows: readonly TreeSendFlow[]): void {
    if (!this.core.isOpen) return;
    const { tree } = this.core;
    try {
      tree.sync([tree.control, this.commands, ...flows]);
      this.command("closeStream", []);
      this.core.notify("deleteStream", [this.id]);
    } catch (error) {
      // A server that takes no more commands learns it with the end of the connection.
      if (!(error instanceof RtmfpError)) throw error;
    }
    void this.commands.close();
    this.core.routeStream(this.id, undefined);
  }
}

/** The answer to createStream; a stream that comes when nobody waits for it any longer is given back. */
function requestId(core: ConnectionCore, signal: AbortSignal): Promise<AmfValue> {
  const { timeoutMs } = core.host;
  const answer = core.call("createStream", []);
  return new Promise((resolve, reject) => {
    const release = (): void => {
      cancel();
      signal.removeEventListener("abort", onAbort);
    };
    const giveUp = (description: string): void => {
      release();
      answer.then((id) => core.notify("deleteStream", [id])).catch(() => {});
      reject(statusError(makeStatus("NetStream.Failed", description)));
    };
    const onAbort = (): void => giveUp("the stream was closed");
    const cancel = core.clock.after(timeoutMs, () =>
      giveUp(`the server did not answer "createStream" within ${timeoutMs / 1000} s`),
    );
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    answer.finally(release).then(resolve, reject);
  });
}

/** The status event in a message, if it is one. @throws AmfError for a command that is none. */
export function statusIn(message: RtmpMessage): StatusEvent | undefined {
  if (message.type !== MessageType.commandAmf0 && message.type !== MessageType.commandAmf3) return undefined;
  const { name, args } = decodeCommand(message);
  return name === "onStatus" ? streamStatus(args[0]) : undefined;
}

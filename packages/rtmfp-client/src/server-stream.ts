/** One stream of a server connection: its ID and the flow for its commands (RFC 7425 §5.3.5). */
import {
  type AmfValue,
  decodeCommand,
  encodeCommand,
  MessageType,
  parseStatus,
  type RtmpMessage,
  type StatusEvent,
  type TreeSendFlow,
} from "rtmfp-core/tc";
import type { ConnectionCore, StreamInput } from "./connection-core.ts";
import { makeStatus, statusError } from "./status-error.ts";

export class ServerStream {
  readonly core: ConnectionCore;
  readonly id: number;
  readonly commands: TreeSendFlow;

  private constructor(core: ConnectionCore, id: number) {
    this.core = core;
    this.id = id;
    this.commands = core.tree.openFlow(id, { priority: "immediate" });
  }

  /** Asks the server for a stream; its messages go to `input`. Rejects with the server's error event. */
  static async create(core: ConnectionCore, input: StreamInput): Promise<ServerStream> {
    const id = await core.call("createStream", []);
    if (typeof id !== "number" || !Number.isInteger(id) || id < 1 || id > 0xffffff)
      throw statusError(makeStatus("NetStream.Failed", "the server gave no usable stream ID"));
    core.routeStream(id, input);
    return new ServerStream(core, id);
  }

  command(name: string, args: readonly AmfValue[]): void {
    if (!this.commands.isOpen) return;
    this.commands.write(encodeCommand({ name, transactionId: 0, commandObject: null, args }, this.core));
  }

  /** Ends the stream once the server has what was written to `flows`. */
  end(flows: readonly TreeSendFlow[]): void {
    if (!this.core.isOpen) return;
    const { tree } = this.core;
    tree.sync([tree.control, this.commands, ...flows]);
    this.command("closeStream", []);
    this.core.notify("deleteStream", [this.id]);
    void this.commands.close();
    this.core.routeStream(this.id, undefined);
  }
}

/** The status event in a message, if it is one. @throws AmfError for a command that is none. */
export function statusIn(message: RtmpMessage): StatusEvent | undefined {
  if (message.type !== MessageType.commandAmf0 && message.type !== MessageType.commandAmf3) return undefined;
  const { name, args } = decodeCommand(message);
  return name === "onStatus" ? parseStatus(args[0]) : undefined;
}

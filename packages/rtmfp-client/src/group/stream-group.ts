/** A NetStream's membership in its group. */

import { RtmfpError } from "rtmfp-core";
import type { Sha256 } from "rtmfp-core/group";
import { concatBytes, equalBytes } from "rtmfp-core/proto";
import type { StatusCode } from "rtmfp-core/tc";
import type { ConnectionCore } from "../connection-core.ts";
import type { NetConnection } from "../net-connection.ts";
import { makeStatus, statusError } from "../status-error.ts";
import { readSpec } from "./groups.ts";
import type { GroupUser, JoinedGroup } from "./joined-group.ts";
import { coreOf } from "./net-group.ts";

/** From the stream's making, or its next beginning, to its close. */
export class StreamGroup {
  readonly #groupspec: string;
  readonly #tell: (code: StatusCode, description?: string) => void;
  readonly #ended: () => void;
  #membership: { readonly core: ConnectionCore; readonly group: JoinedGroup; readonly user: GroupUser } | undefined;
  /** Resolves when it is known what came of the join. */
  #joined: Promise<void> = Promise.resolve();
  #settle: (error?: RtmfpError) => void = () => {};

  /** `tell` takes the events of NetStream.Connect; `ended` is called when the connection ends while the stream is in the group. */
  constructor(groupspec: string, tell: (code: StatusCode, description?: string) => void, ended: () => void) {
    this.#groupspec = groupspec;
    this.#tell = tell;
    this.#ended = ended;
  }

  /** Joins, unless that is done. Throws BAD_ARGUMENT for a connection that is not connected, or a groupspec without streams. */
  join(connection: NetConnection): void {
    if (this.#membership !== undefined) return;
    const core = coreOf(connection);
    if (!readSpec(this.#groupspec).multicastEnabled)
      throw new RtmfpError("BAD_ARGUMENT", "this groupspec has no streams: set multicastEnabled of its GroupSpecifier");
    this.#joined = new Promise((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
    });
    this.#joined.catch(() => {});
    const user: GroupUser = {
      joined: () => {
        this.#settle();
        this.#tell("NetStream.Connect.Success");
      },
      failed: (code, why) => {
        const failure =
          code === "NetGroup.Connect.Rejected" ? "NetStream.Connect.Rejected" : "NetStream.Connect.Failed";
        this.#settle(statusError(makeStatus(failure, why)));
        this.#forget();
        this.#tell(failure, why);
      },
      ended: () => {
        this.leave();
        this.#ended();
      },
    };
    this.#membership = { core, group: core.groups.join(this.#groupspec, user), user };
  }

  /** The group once it can be used; joins it if need be. Rejects with NetStream.Connect.Rejected, Failed, or after {@link leave}. */
  async ready(connection: NetConnection): Promise<JoinedGroup> {
    this.join(connection);
    await this.#joined;
    if (this.#membership === undefined) throw closed();
    return this.#membership.group;
  }

  /** Throws NetStream.Publish.Denied unless the groupspec has the password that the group asks publishers for. */
  checkPublish({ endpoint }: ConnectionCore): void {
    const { publishPassword: check, publishAuthorization: password } = readSpec(this.#groupspec);
    if (check === undefined) return;
    if (password !== undefined && isPassword(password, check, (bytes) => endpoint.profile.provider.sha256(bytes)))
      return;
    const what = password === undefined ? "is one without the password for publishing" : "has another password";
    const description = `the group lets only those publish who know its password, and this groupspec ${what}`;
    throw statusError(makeStatus("NetStream.Publish.Denied", description));
  }

  /** Leaves the group; NetStream.Connect.Closed follows. */
  leave(): void {
    this.#settle(closed());
    if (this.#forget()) this.#tell("NetStream.Connect.Closed");
  }

  #forget(): boolean {
    const membership = this.#membership;
    if (membership === undefined) return false;
    this.#membership = undefined;
    membership.core.groups.leave(membership.group, membership.user);
    return true;
  }
}

function closed(): RtmfpError {
  return statusError(makeStatus("NetStream.Failed", "the stream was closed"));
}

/** Whether a groupspec's check is of that password: its salt, whose bytes may be no text, is in front of the hash. */
function isPassword(password: string, check: Uint8Array, sha256: Sha256): boolean {
  const salt = check.subarray(0, Math.max(0, check.length - HASH_BYTES));
  return equalBytes(sha256(concatBytes(salt, new TextEncoder().encode(password))), check.subarray(salt.length));
}

/** Gives what a group says of a stream's name as BAD_ARGUMENT. */
export function checkedName<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError) throw new RtmfpError("BAD_ARGUMENT", error.message);
    throw error;
  }
}

const HASH_BYTES = 32;

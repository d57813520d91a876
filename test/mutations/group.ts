/** Faults in what a client does in groups. */
import { type Fault, faultsOf } from "./fault.ts";

const CLIENT = "packages/rtmfp-client/src";
const GROUP = `${CLIENT}/group`;

/** From the join at the server to the tags of a stream. */
export const GROUP_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${GROUP}/server-channel.ts`,
    ['if (outcome === "delivered") host.joined();', 'if (outcome !== "delivered") host.joined();', "G-1"],
    ["if (flow.answers !== this.#flow) return false;", "if (flow.answers === this.#flow) return false;", "C-8"],
    [
      "if (peerId !== undefined && !this.#isClosed) this.#host.member(peerId);",
      "if (peerId !== undefined) this.#host.member(peerId);",
      "C-8",
    ],
  ),
  ...faultsOf(
    `${GROUP}/joined-group.ts`,
    [
      "if (!spec.serverChannelEnabled || spec.peerToPeerDisabled) return false;",
      "if (spec.peerToPeerDisabled) return false;",
      "G-7",
    ],
    [
      'if (event.type === "neighbourConnected") this.#neighbours.set(event.peerId, event);',
      'if (event.type === "neighbourConnected") this.#neighbours.delete(event.peerId);',
      "B-3",
    ],
  ),
  ...faultsOf(
    `${GROUP}/groups.ts`,
    ["if (group.remove(user) || this.#groups.get(group.id) !== group) return;", "group.remove(user);", "B-3"],
    ["if (!this.hasNeighbours) return false;", "return false;", "O-6"],
    ["for (const group of this.#groups.values()) group.askServer();", "", "O-6"],
  ),
  ...faultsOf(
    `${GROUP}/start-gate.ts`,
    ["return !this.#awaitsKeyFrame;", "return true;", "P-4"],
    ["if (this.#configs[type] === undefined && needsSequenceHeader(tag)) return false;", "", "P-4", "B-10"],
  ),
  ...faultsOf(
    `${GROUP}/group-playback.ts`,
    ["this.#controls.own = {};", "", "G-3"],
    ["if (held) this.#gate.awaitKeyFrame();", "", "G-3"],
    ["this.#missing += missing;", "", "G-3"],
  ),
  ...faultsOf(`${GROUP}/group-publication.ts`, ["group.publishing.add(name);", "", "B-3"]),
  ...faultsOf(
    `${GROUP}/group-specifier.ts`,
    ["#version: number = MAX_GROUPSPEC_VERSION;", "#version: number = 1;", "B-2"],
    [
      "return this.groupspecWithoutAuthorizations() + this.authorizations();",
      "return this.groupspecWithoutAuthorizations();",
      "G-7",
    ],
  ),
  ...faultsOf(`${CLIENT}/peer-links.ts`, ["return groups.size === 0 || trees.all.size > 0;", "return true;", "G-6"]),
];

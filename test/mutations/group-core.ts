/** Faults in what members of groups say, and in whom they believe. */
import { type Fault, faultsOf } from "./fault.ts";

const GROUP = "packages/rtmfp-core/src/group";

/** From the bytes to the liars. */
export const GROUP_CORE_FAULTS: readonly Fault[] = [
  ...faultsOf(
    `${GROUP}/wire/group-proof.ts`,
    [
      "return hmac(new TextEncoder().encode(canonical), nonce);",
      "return hmac(nonce, new TextEncoder().encode(canonical));",
      "G-7",
    ],
    ["return equalConstantTime(proof, groupProof(canonical, nonce, hmac));", "return proof.length === 32;", "G-7"],
  ),
  ...faultsOf(
    `${GROUP}/wire/report.ts`,
    [
      "if (peerId !== undefined) peers.push({ peerId, ageSeconds, addresses });",
      "peers.push({ peerId: peerId as string, ageSeconds, addresses });",
      "G-6",
    ],
    ["while (reader.remaining > 0 && peers.length < MAX_REPORTED_PEERS) {", "while (reader.remaining > 0) {", "G-6"],
  ),
  ...faultsOf(
    `${GROUP}/wire/multicast.ts`,
    ["if (before < 0) return id === newest;", "if (before < 0) return false;", "G-3"],
    [
      "return byte !== undefined && (byte & (1 << (before % 8))) !== 0;",
      "return byte !== undefined && (byte & (128 >> (before % 8))) !== 0;",
      "G-3",
    ],
  ),
  ...faultsOf(
    `${GROUP}/wire/fragment.ts`,
    ["if (counted) writer.u8(Math.min(left, MAX_LEFT));", "if (counted) writer.u8(left);", "G-3"],
    [
      "return (bytes[pos] === AUDIO || bytes[pos] === VIDEO) && !MESSAGE_TYPES.has(bytes[pos + 1] ?? 0);",
      "return bytes[pos] === AUDIO || bytes[pos] === VIDEO;",
      "G-3",
    ],
  ),
  ...faultsOf(`${GROUP}/link.ts`, [
    "if (isTooSoon) this.#onUseless();",
    "if (isTooSoon && this.isGone) this.#onUseless();",
    "G-6",
  ]),
  ...faultsOf(`${GROUP}/reporting.ts`, [
    "if (!told.isOwnWord) told.addresses = usable(addresses);",
    "told.addresses = usable(addresses);",
    "G-6",
  ]),
  ...faultsOf(`${GROUP}/dialer.ts`, ["member.isOwnWord = false;", "", "G-6"]),
  ...faultsOf(
    `${GROUP}/multicast/media.ts`,
    ["if (!link.isAsked(id % STRIPES, now)) {", "if (link.told < 0) {", "G-3"],
    ["stats.unasked++;", "", "G-3"],
  ),
];

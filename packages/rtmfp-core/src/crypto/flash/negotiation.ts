/** Who sends an HMAC or a session sequence number (§4.6.4, §4.6.6). Both are settled alike. § means RFC 7425. */

/**
 * How much an end cares for a kind of protection. `none`: never send it, never ask. `accept`: send it if asked.
 * `request`: also ask for it, as responder only of a far end that asks or sends by itself (old stacks do not bear
 * more). `require`: send it always, and refuse a far end that will not.
 */
export type ProtectionSetting = "none" | "accept" | "request" | "require";

/** The flags byte of an initiator's negotiation option. */
export function offerFlags(setting: ProtectionSetting): number {
  if (setting === "none") return 0;
  if (setting === "accept") return SEND_ON_REQUEST;
  return setting === "request" ? SEND_ON_REQUEST | REQUEST : SEND_ALWAYS | SEND_ON_REQUEST | REQUEST;
}

/** The flags byte of a responder's negotiation option, given the initiator's. */
export function answerFlags(setting: ProtectionSetting, farFlags: number): number {
  if (setting === "require") return offerFlags(setting);
  if (setting === "request" && (farFlags & (REQUEST | SEND_ALWAYS)) !== 0) return offerFlags(setting);
  return setting !== "none" && (farFlags & REQUEST) !== 0 ? SEND_ON_REQUEST : 0;
}

/** True if the end with `nearFlags` sends it to the end with `farFlags`. */
export function sends(nearFlags: number, farFlags: number): boolean {
  return (nearFlags & SEND_ALWAYS) !== 0 || ((nearFlags & SEND_ON_REQUEST) !== 0 && (farFlags & REQUEST) !== 0);
}

/** True if the setting bears a far end with these flags. */
export function bears(setting: ProtectionSetting, farFlags: number): boolean {
  return setting !== "require" || canSend(farFlags);
}

/** True if either send flag is set. */
export function canSend(flags: number): boolean {
  return (flags & (SEND_ALWAYS | SEND_ON_REQUEST)) !== 0;
}

/** willSendAlways, willSendOnRequest and request (§4.5.2.4, §4.5.2.5). */
export const SEND_ALWAYS = 0x04;
export const SEND_ON_REQUEST = 0x02;
export const REQUEST = 0x01;

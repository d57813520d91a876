/** Status events as errors. */
import { RtmfpError } from "rtmfp-core";
import { type AmfValue, levelOf, namedValues, parseStatus, type StatusCode, type StatusEvent } from "rtmfp-core/tc";

/** What a promise rejects with when an event says that it failed: `code` is the event's, `info` the event. */
export function statusError(event: StatusEvent): RtmfpError {
  return new RtmfpError(event.code, statusText(event) || event.code, event);
}

/** What an event tells people: its description and, where a server's application adds a text of its own, that too. */
export function statusText(event: { readonly description?: unknown; readonly application?: unknown }): string {
  const texts = [event.description, event.application];
  return texts.filter((text) => typeof text === "string" && text !== "").join(": ");
}

/** An event of our own making that has no payload. */
export function makeStatus(code: StatusCode, description?: string, more: object = {}): StatusEvent {
  return {
    code,
    level: levelOf(code),
    ...(description === undefined ? {} : { description }),
    ...more,
  } as StatusEvent;
}

/** The event in a reply or onStatus; anything that is none becomes `fallback`, with its text. */
export function statusOf(info: AmfValue, fallback: StatusCode): StatusEvent {
  const event = parseStatus(info);
  if (event !== undefined) return event;
  return makeStatus(fallback, typeof info === "string" ? info : undefined);
}

/**
 * The event that a server tells of a stream; undefined if it is none. An error whose code nobody knows is a
 * NetStream.Failed that says which.
 */
export function streamStatus(info: AmfValue): StatusEvent | undefined {
  const event = parseStatus(info);
  const values = namedValues(info);
  if (event !== undefined || values?.["level"] !== "error") return event;
  const texts = [values["code"], values["description"]].filter((text) => typeof text === "string" && text !== "");
  return makeStatus("NetStream.Failed", texts.length === 0 ? "the server does not say why" : texts.join(": "));
}

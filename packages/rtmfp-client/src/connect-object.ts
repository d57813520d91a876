/** The command object of `connect`, as Flash Player sends it. */
import type { AmfObject, ObjectEncoding, ServerUri } from "rtmfp-core/tc";

/** Properties in Flash Player's order; servers look at `app`, `tcUrl` and `objectEncoding`. */
export function connectObject(uri: ServerUri, objectEncoding: ObjectEncoding): AmfObject {
  const path = uri.instance === "" ? uri.app : `${uri.app}/${uri.instance}`;
  return {
    app: uri.query === "" ? path : `${path}?${uri.query}`,
    flashVer: FLASH_VERSION,
    swfUrl: undefined,
    tcUrl: uri.uri,
    fpad: false,
    capabilities: CAPABILITIES,
    audioCodecs: ALL_AUDIO_CODECS,
    videoCodecs: ALL_VIDEO_CODECS,
    videoFunction: CLIENT_SEEK,
    pageUrl: undefined,
    objectEncoding,
  };
}

/** Old servers parse it: platform, then four numbers with commas. */
const FLASH_VERSION = "LNX 32,0,0,465";
const CAPABILITIES = 239;
/** Bit masks of RTMP's connect command. */
const ALL_AUDIO_CODECS = 0x0fff;
const ALL_VIDEO_CODECS = 0x00ff;
const CLIENT_SEEK = 1;

import { bulk } from "./bulk.ts";
import { clients } from "./clients.ts";
import { crowd } from "./crowd.ts";
import { echo } from "./echo.ts";
import { handshakes } from "./handshakes.ts";
import { heap } from "./heap.ts";
import { raw } from "./raw.ts";
import { rawEcho } from "./raw-echo.ts";
import { relay } from "./relay.ts";
import { tls } from "./tls.ts";
import type { Work } from "./work.ts";

/** Every work by name. */
export const WORKS = {
  bulk,
  clients,
  crowd,
  echo,
  handshakes,
  heap,
  raw,
  rawEcho,
  relay,
  tls,
} as const satisfies Readonly<Record<string, Work>>;

export type WorkName = keyof typeof WORKS;

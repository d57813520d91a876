/** The faults that `pnpm coverage:rfc --mutate` applies, one at a time; each must be noticed. */

import { CONNECTION_FAULTS } from "./connection.ts";
import { CRYPTO_FAULTS } from "./crypto.ts";
import { FLASH_FAULTS } from "./crypto-flash.ts";
import type { Fault } from "./fault.ts";
import { FLOW_RECEIVE_FAULTS } from "./flow-receive.ts";
import { FLOW_SEND_FAULTS } from "./flow-send.ts";
import { GROUP_FAULTS } from "./group.ts";
import { GROUP_CORE_FAULTS } from "./group-core.ts";
import { PROTO_FAULTS } from "./proto.ts";
import { CHUNK_FAULTS } from "./proto-chunks.ts";
import { FLOW_CHUNK_FAULTS } from "./proto-flow-chunks.ts";
import { PACKET_FAULTS } from "./proto-packets.ts";
import { SESSION_FAULTS } from "./proto-session.ts";
import { STARTUP_FAULTS } from "./proto-startup.ts";
import { TC_FAULTS } from "./tc.ts";

/** All faults. */
export const FAULTS: readonly Fault[] = [
  ...PROTO_FAULTS,
  ...PACKET_FAULTS,
  ...CHUNK_FAULTS,
  ...FLOW_CHUNK_FAULTS,
  ...STARTUP_FAULTS,
  ...SESSION_FAULTS,
  ...FLOW_SEND_FAULTS,
  ...CRYPTO_FAULTS,
  ...FLOW_RECEIVE_FAULTS,
  ...FLASH_FAULTS,
  ...CONNECTION_FAULTS,
  ...TC_FAULTS,
  ...GROUP_FAULTS,
  ...GROUP_CORE_FAULTS,
];

/** Constants of the protocol and limits of this implementation. Times in milliseconds, sizes in bytes. § means RFC 7016. */

/** Timestamp clock tick (§2.2.4). */
export const TICK_MS = 4;
/** An echo is sent only for timestamps received within this time (§3.5.2.2). */
export const ECHO_AGE_MS = 128_000;
/** Larger RTT samples, in ticks, are invalid (§3.5.2.2). */
export const MAX_RTT_TICKS = 32_767;
/** ERTO at start, its floor, its cap when backed off, and the backoff factor (§3.5.2.2). */
export const ERTO_INITIAL_MS = 3_000;
export const ERTO_MIN_MS = 250;
export const ERTO_MAX_MS = 10_000;
export const ERTO_BACKOFF: number = 14_142 / 10_000;
/** What MRTO adds for the far end's delayed acknowledgement (§3.5.2.2). */
export const DELAYED_ACK_ALLOWANCE_MS = 200;

/** Ultimate open timeout, and the least cookie lifetime (§3.5.1.1). */
export const OPEN_TIMEOUT_MS = 95_000;
/** Each IHello or IIKeying interval grows by this much over the one before (§3.5.1.1.1, AMB-10). */
export const HANDSHAKE_RETRY_STEP_MS = 1_500;
/** REDIRECT_THRESHOLD: a set with this many candidates takes no more from redirects (§3.5.1.1.1). */
export const REDIRECT_THRESHOLD = 24;
/** Candidates of an opening that IIKeyings in glare brought, which prove no identity; beyond, the oldest gives way. */
export const MAX_GLARE_CANDIDATES = 8;
/** Tag length of our IHellos (§3.5.1.1.1 asks for at least 8). */
export const TAG_BYTES = 16;
/** Shortest tag that is answered, the least that §3.5.1.1.1 recommends: a shorter hello would buy a larger reply. */
export const MIN_TAG_BYTES = 8;
/** Longest tag that is answered: the echo must leave room for the rest of a reply. */
export const MAX_TAG_BYTES = 512;
/** Longest discriminator of an introduction, which waits for a decision and is forwarded. */
export const MAX_EPD_BYTES = 1_024;
/** Cookie length: deployed initiators take no other. */
export const COOKIE_BYTES = 64;
/** Lifetime of a cookie, and of the secret that new ones are made with (§3.5.1.1.2, AMB-16). */
export const COOKIE_LIFETIME_MS = 110_000;
/** How long an unanswered introduction event stays open. */
export const INTRODUCTION_DECISION_MS = 5_000;
/** Undecided introduction events at one time; more IHellos are dropped and counted. */
export const MAX_PENDING_INTRODUCTIONS = 1_024;
/** Of these, those that one network has asked for: an application that takes its time must hear of others too. */
export const MAX_PENDING_OF_NETWORK = 256;
/** And those asked for from addresses without a session, which cost nothing to have. */
export const MAX_PENDING_OF_STRANGERS = 512;
/** Public-key jobs outstanding at one time; further handshakes are dropped and counted. */
export const MAX_JOBS = 256;
/** Sessions of an endpoint, unless its settings say otherwise; further IIKeyings are dropped and counted. */
export const MAX_SESSIONS = 1_000_000;
/** Startup packets waiting to be sent; further replies are dropped and counted. */
export const MAX_STARTUP_QUEUE = 4_096;

/** Packet reassembly: time limit, progress interval, buffer size and count (§3.4). */
export const REASSEMBLY_LIMIT_MS = 60_000;
export const REASSEMBLY_PROGRESS_MS = 1_000;
export const REASSEMBLY_MAX_BYTES = 65_536;
export const MAX_REASSEMBLIES = 64;
/** Fragments of one packet; the least of them would carry 64 bytes. */
export const MAX_PACKET_FRAGMENTS = 1_024;
/** Fragment sending without knowledge of the path: packets and bytes per destination and interval (§3.4). */
export const FRAGMENT_BURST_PACKETS = 4;
export const FRAGMENT_BURST_BYTES = 4_380;
export const FRAGMENT_INTERVAL_MS = 200;

/** Datagram size until path MTU discovery finds better (AMB-25), and the least ever used. */
export const INITIAL_DATAGRAM_BYTES = 1_200;
/** Largest UDP payload. */
export const MAX_DATAGRAM_BYTES = 65_507;
/** Path MTU discovery: what must have been acknowledged on a path before it is probed. */
export const PROBE_AFTER_BYTES = 9_600;
/** How long a datagram size without an answer, and what is larger, is not tried; and hosts remembered for that. */
export const LOST_SIZE_MS = 600_000;
export const MAX_LOST_SIZES = 1_024;
/** Losses of nothing but large packets, ERTO apart, after which a path is taken not to carry them. */
export const BLACK_HOLE_TIMEOUTS = 2;
/** Room a datagram buffer needs beyond the packet itself: cipher padding and HMAC. */
export const SEAL_SPARE_BYTES = 64;

/** Close Request interval, S_NEARCLOSE limit, S_FARCLOSE_LINGER limit (§3.5.5). */
export const CLOSE_REPEAT_MS = 5_000;
export const NEARCLOSE_LIMIT_MS = 90_000;
export const FARCLOSE_LINGER_MS = 19_000;

/** Keepalive: idle time before a Ping, and when silence ends the session (§3.5.4.1, AMB-23, AMB-64). */
export const KEEPALIVE_MS = 30_000;
export const KEEPALIVE_MIN_MS = 5_000;
export const KEEPALIVE_GRACE_MS = 10_000;
export const KEEPALIVE_LOST_PINGS = 3;

/** Mobility probes: spacing, reply age, secret size (§3.5.4.2), and spacing of moves without HMAC. */
export const MOBILITY_PROBE_MS = 1_000;
export const MOBILITY_REPLY_AGE_MS = 120_000;
export const MOBILITY_SECRET_BYTES = 32;
export const MOBILITY_UNSIGNED_MOVE_MS = 10_000;

/** A deadline missed by more means that the process stood still, or that its clock was set forward. */
export const STANDSTILL_MS = 1_000;

/** Time-critical memory (§3.5.2.1). */
export const TIME_CRITICAL_MS = 800;
/** Packets with user data between acknowledgements (§3.5.2.3). */
export const BURST_PACKETS = 6;
/** Negative acknowledgements that mean loss (§3.6.2.5). */
export const NAKS_FOR_LOSS = 3;

/** Receive window assumed before the first acknowledgement (§3.6.2). */
export const INITIAL_WINDOW_BYTES = 65_536;
/** Unit of the window advertisement (§2.3.13). */
export const WINDOW_BLOCK_BYTES = 1_024;
/** Receive buffer of a flow unless the application says otherwise. */
export const RECEIVE_CAPACITY_BYTES = 1_048_576;
/** Data accepted beyond the advertised window before it is dropped unacknowledged (AMB-32). */
export const WINDOW_TOLERANCE_BYTES = 65_536;
/** Fragments and messages that a receiving flow holds, whatever their size; from half of it on, the window is 0. */
export const MAX_HELD_FRAGMENTS = 16_384;
/** Longest message, sent or received; a flow that brings a longer one is rejected. RTMP messages are shorter (24 bits). */
export const MAX_MESSAGE_BYTES = 16_777_216;
/** Bytes and fragments of the message that is next in order may exceed the window; beyond this, the flow is rejected. */
export const MAX_ASSEMBLED_FRAGMENTS = 32_768;
/** What all receiving flows of a session hold, and those of an endpoint unless its settings say otherwise. */
export const SESSION_RECEIVE_BYTES = 33_554_432;
export const RECEIVE_TOTAL_BYTES = 536_870_912;
/** A session may hold this part of what its endpoint has left, but always as much as the initial window. */
export const SESSION_SHARE_OF_FREE = 4;
export const LEAST_SESSION_SHARE_BYTES = 65_536;
/** Room beyond these budgets in which one message at a time is finished: the largest, and a window behind its gaps. */
export const FINISHING_BYTES = 18_874_368;
/** Memory for the objects that hold fragments which are not joined yet, for one more piece of their bytes, and for a message. */
export const HELD_SEGMENT_COST_BYTES = 512;
export const HELD_PART_COST_BYTES = 256;
export const UNREAD_MESSAGE_COST_BYTES = 320;
/** Small unread messages that keep so much memory are copied into a block; what that takes, and each message in it. */
export const PACK_AT_COST_BYTES = 196_608;
export const PACKED_BLOCK_COST_BYTES = 512;
export const PACKED_MESSAGE_COST_BYTES = 16;
/** Receiving flows a session may have open at one time; more are rejected and counted. */
export const MAX_RECEIVING_FLOWS = 2_048;
/** Completed receiving flows whose IDs a session remembers; while there are as many, new flows are rejected and counted. */
export const MAX_LINGERING_FLOWS = 16_384;
/** Runs of sequence numbers that a receiving flow remembers above a gap; beyond it, data is dropped unacknowledged. */
export const MAX_SEQUENCE_RANGES = 1_024;
/** What an endpoint's flows remember; a session's have this part of what others leave, but always some. */
export const SEQUENCE_RANGES_TOTAL = 8_192;
export const SESSION_SHARE_OF_RANGES = 8;
export const LEAST_SESSION_RANGES = 128;
/** Runs of held fragments at which none is opened beyond a gap: numbers given up divide them where none is missing. */
export const MAX_HELD_RUNS = 1_024;
/** Flows beyond the caps that a session rejects with an exception: per second, and burst. The others hear nothing. */
export const REFUSALS_PER_SECOND = 50;
export const REFUSALS_BURST = 1_000;
/** Answers of a session to data of rejected flows: per second, and burst. One answer stands for a turn's data of a flow. */
export const REJECTED_ANSWERS_PER_SECOND = 20;
export const REJECTED_ANSWERS_BURST = 200;
/** Acknowledgements that may wait before flows beyond the caps are not even rejected. */
export const MAX_REFUSALS_WAITING = 4_096;

/** Delayed acknowledgement (§3.6.3.2), and data packets that one acknowledgement may stand for. */
export const DELAYED_ACK_MS = 200;
export const ACK_EVERY_PACKETS = 2;

/** Buffer probe intervals (§3.6.2.9.1). */
export const BUFFER_PROBE_MIN_MS = 1_000;
export const BUFFER_PROBE_MAX_MS = 60_000;
/** Linger of completed flows (§3.6.2.11, §3.6.3.8). */
export const SEND_LINGER_MS = 130_000;
export const RECEIVE_LINGER_MS = 120_000;

/** Send buffer of a flow: `ready` resolves below the low mark; a write beyond the cap is refused. */
export const SEND_LOW_WATER_BYTES = 262_144;
export const SEND_CAP_BYTES = 1_048_576;
/** Longest flow metadata we send (§2.3.11.1.1). */
export const MAX_METADATA_BYTES = 512;
/** Unknown User Data options of this type and above are ignored, below it they reject the flow (§2.3.11.1). */
export const FIRST_IGNORABLE_OPTION = 8_192;

/** Handshake rate limits per source address: per second, and burst. */
export const IHELLO_PER_SECOND = 500;
export const IIKEYING_PER_SECOND = 200;
export const HANDSHAKE_BURST = 2_500;
/** Sessions of one source address in which nothing has been heard yet; further IIKeyings are dropped and counted. */
export const MAX_UNHEARD_SESSIONS = 2_048;
/** After which an initiator that has had nothing to say in its session sends a Ping, so that it does not count as such. */
export const FIRST_WORD_MS = 6_000;
/** Keyings answered of late that are recognised when they come again; beyond, the oldest is forgotten. */
export const MAX_ANSWERED_KEYINGS = 131_072;
/** Copies of one RIKeying for repeated IIKeyings, which initiators send 1.5 s apart or more: per second, and burst. */
export const REPLY_COPIES_PER_SECOND = 4;
export const REPLY_COPIES_BURST = 8;
/** Sources whose rates are remembered. */
export const MAX_RATE_ENTRIES = 16_384;
/** Handshakes in an expensive group that an endpoint answers: per second, and burst. */
export const COSTLY_JOBS_PER_SECOND = 10;
export const COSTLY_JOBS_BURST = 20;
/** Pings that are answered in one session: per second, and burst. */
export const PING_REPLIES_PER_SECOND = 100;
export const PING_REPLIES_BURST = 200;
/** Packets in which something was refused that a session bears: per second, and burst. Honest far ends send hundreds. */
export const USELESS_PACKETS_PER_SECOND = 500;
export const USELESS_PACKETS_BURST = 10_000;
/** Such packets that an endpoint reads in all its sessions together: per second, and burst. */
export const USELESS_TOTAL_PER_SECOND = 2_000;
export const USELESS_TOTAL_BURST = 10_000;
/** How long a session that sent one counts among those whose packets are left unread beyond that. */
export const SUSPECT_MS = 1_000;
/** IIKeyings that a session ended for it costs its address, so that the next one has to wait for 2.5 s. */
export const ABUSE_COST_KEYINGS = 500;
/** Control chunks (Pings, replies, probes, FIHellos) that wait in one session; more are dropped and counted. */
export const MAX_CONTROL_QUEUE = 64;
/** FIHellos taken from one introducer: per second, and burst (AMB-21). */
export const FORWARDED_HELLO_PER_SECOND = 50;
export const FORWARDED_HELLO_BURST = 500;
/** Least time without an acknowledgement before a tail-loss probe. */
export const TAIL_PROBE_MIN_MS = 10;

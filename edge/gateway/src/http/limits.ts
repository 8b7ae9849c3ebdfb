import type { DescMethod } from "@bufbuild/protobuf";
import { JobsService } from "@orrery/contracts/gen/orrery/jobs/v1/jobs_service_pb.js";
import { WorkService } from "@orrery/contracts/gen/orrery/jobs/v1/work_service_pb.js";

/** What one client may cost the edge. Every limit of the HTTP and gRPC ports is here, with its unit. */
export const LIMITS = {
  /** Bytes of a body, unless the route is one of `bulkBodyBytes`. */
  bodyBytes: 256 * 1024,
  /** Bytes of a body of `jobs:batchSubmit`, `work:complete` and `work:fail`. */
  bulkBodyBytes: 8 * 1024 * 1024,
  /**
   * JSON values in one body. In memory each takes some 300 bytes: 8 MiB of nothing but zeros and commas would
   * take more than this process has.
   */
  bodyValues: 200_000,
  /**
   * Objects and arrays inside each other in a body of JSON: the 32 of a value, which its service holds it to by name,
   * and those of the message around it. Beyond it a message in binary would be refused as well.
   */
  bodyLevels: 40,
  /** Fields of one message in binary, those of messages inside it included: a value in a list has two. */
  messageFields: 400_000,
  /** Bytes of a body in Connect or gRPC-Web, whose messages cannot be counted before they are decoded. */
  uncountedBodyBytes: 1024 * 1024,
  /**
   * Messages inside each other in a request in binary: 39 levels of a JSON value. Well below
   * the 100 that any of our services reads, as some are sent on inside others.
   */
  messageLevels: 80,
  /** Bytes of the request line and all headers together; beyond it 431. */
  headerBytes: 16 * 1024,
  /**
   * Characters of an Authorization header. No key of ours is longer, and hashing longer ones would be the
   * caller's to command.
   */
  authorizationCharacters: 4_096,
  /** Milliseconds in which the headers have to arrive; beyond it 408. */
  headersTimeoutMs: 10_000,
  /** Milliseconds in which headers and body have to arrive; beyond it 408. */
  requestTimeoutMs: 30_000,
  /** Milliseconds between two looks at slow clients: how late the two limits above may be noticed. */
  slowClientCheckMs: 1_000,
  /** Milliseconds that an idle connection stays open for the next request. */
  keepAliveMs: 65_000,
  /** Milliseconds without a byte either way after which a connection is cut; above `waitSeconds`. */
  silenceMs: 90_000,
  /** Seconds that `Prefer: wait` may hold a submission's answer back; who asks for more gets these. */
  waitSeconds: 60,
  /** Milliseconds of the longest deadline that Connect and gRPC-Web take: an hour, for streams. */
  callTimeoutMs: 3_600_000,
  /** Milliseconds before its deadline from which on a gRPC call that was cancelled counts as out of time. */
  deadlineSlackMs: 20,
  /** Connections at once on the HTTP port. */
  connections: 10_000,
  /** Bytes from which on an answer is compressed where the client takes that. */
  compressFromBytes: 1_024,
  /** Bytes of an unread body that are thrown away to keep the connection; with more it is closed. */
  discardBytes: 16 * 1024 * 1024,
  /** Streams, and leases that wait, that one project may have open at once at a gateway; beyond it 429. */
  heldCallsOfProject: 400,
  /** The same of all projects together: below the thousand calls that a service takes at once; beyond it 503. */
  heldCalls: 800,
  /** Milliseconds after which who was refused one may ask again. */
  heldCallsRetryMs: 5_000,
  /** Bytes of answers that may wait for the clients of one project, or for all without a key; beyond it 429. */
  unsentBytesOfProject: 64 * 1024 * 1024,
  /** The same of all projects together, a sixth of what a gateway is given; beyond it 503 for those who have a part. */
  unsentBytes: 128 * 1024 * 1024,
  /** Bytes that have to wait for one project before its submissions are refused, too; beyond it 429. */
  unsentBytesToSubmit: 128 * 1024 * 1024,
  /** Bytes from which on the answer to a read is refused in its place where too much waits already. */
  largeAnswerBytes: 16 * 1024,
  /** Milliseconds after which who was refused for that may ask again. */
  unsentRetryMs: 5_000,
  /** Streams at once on one gRPC connection. */
  grpcStreams: 1_000,
  /** Bytes of one answer over gRPC: that to a batch has the inputs of the request and the jobs besides. */
  grpcAnswerBytes: 16 * 1024 * 1024,
  /** Megabytes that one gRPC connection may take in memory, as `maxSessionMemory` of Node counts them. */
  grpcSessionMegabytes: 32,
  /** Milliseconds after which a gRPC client has to connect anew: a new gateway gets its share then. */
  grpcAgeMs: 30 * 60_000,
  /** Milliseconds that the calls of such a connection have left; what is open after that is cut off. */
  grpcAgeGraceMs: 60_000,
  /** Milliseconds without a call after which a gRPC connection is closed. */
  grpcIdleMs: 10 * 60_000,
  /** Milliseconds between two pings on a gRPC connection: a client that went without a word is found so. */
  grpcPingMs: 30_000,
  /** Milliseconds in which such a ping has to be answered; beyond it the connection is cut. */
  grpcPongMs: 10_000,
  /** Jobs of one SubmitJobStream that wait for their outcome; the stream is read no faster. */
  streamSubmissions: 1_000,
  /** Submissions that wait for a batch; beyond it 503. */
  queuedSubmissions: 20_000,
  /** Submissions in one batch. */
  batchSubmissions: 1_000,
  /** Bytes of one batch, below what the jobs service takes as one message. */
  batchBytes: 4 * 1024 * 1024,
  /** Milliseconds that a submission may take behind the edge: 2 s less what its answer needs to get out. */
  submitMs: 1_900,
  /** Milliseconds in which a stream has to be admitted by a service that is known to be in trouble. */
  admissionMs: 1_900,
  /** Milliseconds after which an event stream begins even where its service has said nothing yet. */
  streamOpenMs: 2_500,
  /**
   * Milliseconds between the admission of an event stream and its head. A stream that is at its end already
   * says so within this time as a rule, and then gets 204, which a head that is out would forbid.
   */
  earlyHeadMs: 50,
  /** Milliseconds that a submission needs at least; with less left it is not sent. */
  submitFloorMs: 50,
} as const;

const BULK: ReadonlySet<DescMethod> = new Set([
  JobsService.method.batchSubmitJobs,
  WorkService.method.completeAttempts,
  WorkService.method.failAttempts,
]);

/** Bytes that the request of an RPC may have. */
export function bodyLimitBytes(method: DescMethod): number {
  return BULK.has(method) ? LIMITS.bulkBodyBytes : LIMITS.bodyBytes;
}

/** Bytes that a message may have over Connect or gRPC-Web. */
export function messageLimitBytes(method: DescMethod): number {
  return Math.min(bodyLimitBytes(method), LIMITS.uncountedBodyBytes);
}

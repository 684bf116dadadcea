import { z } from 'zod';
import type { Hex } from '../bytes.ts';
import { PROTOCOL_VERSION } from './version.ts';

const hexOf = (bytes: number) =>
  z.custom<Hex>(
    (value) => typeof value === 'string' && value.length === 2 + 2 * bytes && /^0x[0-9a-f]*$/.test(value),
    `expected ${bytes} bytes as 0x and ${2 * bytes} lower-case hexadecimal digits`,
  );
const hash = hexOf(32);
const address = hexOf(20);
const signature = hexOf(65);
const head = hexOf(26);
const uint32 = z.number().int().min(0).max(0xffff_ffff);
const round = z.number().int().min(0).max(0xff_ffff);

/** What a party may be to a coordinator. */
const role = z.enum(['participant', 'operator']);

/** A party's role in a session. */
export type Role = z.infer<typeof role>;

const planSchema = z.strictObject({
  round,
  attempt: uint32,
  parentRoot: hash,
  updateBits: z.number().int().min(0).max(30),
  seedIndex: uint32,
});

/**
 * Where a job stands, complete in itself: the coordinator sends it whenever it changes and whenever it is asked, so a
 * client that missed any number of messages needs only the latest.
 */
const jobStateSchema = z.strictObject({
  job: hash,
  /** `open` waits for participants; `closed` and `failed` are final. */
  phase: z.enum(['open', 'collecting', 'aggregating', 'anchoring', 'closed', 'failed']),
  /** Rounds anchored so far, 0 before the first. */
  round,
  /** Root of the latest model. */
  modelRoot: hash,
  /** The open round, while collecting. */
  plan: planSchema.nullable(),
  /** Milliseconds left for the open round as the coordinator sees it, while collecting. */
  remainingMs: z.number().nullable(),
  /** Who is asked in the open round: those whose ticket is at most `cut`. Absent: everyone. */
  draw: z.strictObject({ seedIndex: uint32, seed: hash, cut: hash.nullable() }).optional(),
  /** Why the job failed. */
  reason: z.string().nullable(),
});

/** Where a job stands. */
export type JobStateMessage = z.infer<typeof jobStateSchema>;

const statementSchema = z.strictObject({
  job: hash,
  round,
  attempt: uint32,
  parentRoot: hash,
  updateRoot: hash,
  samples: uint32,
  largestMagnitude: uint32,
  datasetCommitment: hash,
});

const receiptSchema = z.strictObject({
  job: hash,
  round,
  attempt: uint32,
  participant: address,
  updateRoot: hash,
  verdict: z.enum(['accepted', 'late', 'rejected']),
  code: z.string().max(100),
  signature,
});

const energySchema = z.strictObject({
  /** Thousandths of a joule. */
  millijoules: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** Working time that it was used over. */
  durationMs: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** Whether any of it was estimated, not measured. */
  estimated: z.boolean(),
});

/** Energy as a participant reports it. */
export type ReportedEnergy = z.infer<typeof energySchema>;

/** Held-out metrics that a participant reports. Advisory: nothing that is anchored depends on them. */
const metricsSchema = z.strictObject({
  job: hash,
  /** Round whose model was evaluated; 0 is the model before round 1. */
  round,
  modelRoot: hash,
  /** Held-out examples predicted rightly. */
  correct: uint32,
  /** Held-out examples. */
  total: uint32,
  /** Sum of the held-out losses. */
  lossSum: z.number(),
  /** Held-out examples that the most frequent training label predicts rightly. */
  constantCorrect: uint32,
  /** What the participant's work has used since its last report. */
  energy: z.exactOptional(energySchema),
});

const empty = z.strictObject({});

const jobSummarySchema = z.strictObject({
  job: hash,
  name: z.string(),
  anchor: address,
  vault: address.nullable(),
  /** As in `job.state`; `created` has not been started yet, `unavailable` cannot be opened. */
  phase: z.enum(['created', 'unavailable', 'open', 'collecting', 'aggregating', 'anchoring', 'closed', 'failed']),
  /** Whether an operator keeps further rounds from opening. */
  paused: z.boolean(),
  /** Rounds anchored. */
  round,
  /** Rounds in all. */
  rounds: round,
  /** Participants that can be asked now. */
  present: uint32,
  /** Participants that must be there before round 1. */
  expected: uint32,
  /** Why it failed, is paused or cannot be opened. */
  reason: z.string().nullable(),
});

/** A job as an operator's list shows it. */
export type JobSummary = z.infer<typeof jobSummarySchema>;

const jobDetailSchema = jobSummarySchema.extend({
  modelRoot: hash,
  attempt: uint32,
  /** Milliseconds left for the open round. */
  remainingMs: z.number().nullable(),
  /** Anchored rounds, the first one first. */
  history: z.array(
    z.strictObject({
      round,
      attempt: uint32,
      modelRoot: hash,
      transactionHash: hash,
      blockNumber: z.number(),
      gasUsed: z.string(),
      accepted: uint32,
      closeMs: z.number(),
    }),
  ),
  participants: z.array(
    z.strictObject({
      address,
      present: z.boolean(),
      /** Why it is banned. */
      banned: z.string().nullable(),
      /** Its answer to the open round. */
      answer: z.enum(['accepted', 'refused', 'declined']).nullable(),
      accepted: uint32,
      refused: uint32,
      declined: uint32,
      /** How long its latest accepted update took since the round had opened. */
      answerMs: z.number().nullable(),
    }),
  ),
});

/** A job as an operator sees it in full. */
export type JobDetail = z.infer<typeof jobDetailSchema>;

const why = z.string().max(500);

/** One request of the control plane: what is asked and what a success answers. */
interface Operation {
  /** Schema of the request. */
  readonly request: z.ZodType;
  /** Schema of the answer. */
  readonly answer: z.ZodType;
}

/** The requests of the control plane by name; each is acknowledged with a {@link Reply}. */
export const OPERATIONS = {
  /** Asks for a challenge to sign. */
  'session.challenge': {
    request: z.strictObject({
      protocol: z.literal(PROTOCOL_VERSION),
      address,
      role,
      /** The job to take part in; null for an operator, whose session is with the coordinator itself. */
      job: hash.nullable(),
    }),
    answer: z.strictObject({
      challenge: hash,
      coordinator: address,
      chainId: z.string().regex(/^[1-9][0-9]{0,77}$/),
      /** The job's RoundAnchor, part of what is signed; the zero address where there is no job. */
      anchor: address,
      job: hash.nullable(),
    }),
  },
  /** Opens the session with the signed challenge; the token opens the bulk plane. */
  'session.open': { request: z.strictObject({ signature }), answer: z.strictObject({ token: z.string() }) },
  /** Joins the job as a participant. */
  'job.join': { request: z.strictObject({ job: hash }), answer: z.strictObject({ state: jobStateSchema }) },
  /** Asks where the job stands. */
  'job.state': { request: z.strictObject({ job: hash }), answer: z.strictObject({ state: jobStateSchema }) },
  /** Announces an update and the roots of its parts; answers which parts the coordinator lacks. */
  'update.offer': {
    request: z.strictObject({
      job: hash,
      round,
      attempt: uint32,
      updateRoot: hash,
      byteLength: z
        .number()
        .int()
        .positive()
        .max(2 ** 40),
      partRoots: z.array(hash).min(1).max(100_000),
    }),
    answer: z.strictObject({ missing: z.array(uint32) }),
  },
  /** Submits the signed statement of an uploaded update; answers with a signed receipt, whatever the verdict. */
  'update.submit': {
    request: z.strictObject({ statement: statementSchema, signature }),
    answer: z.strictObject({ receipt: receiptSchema }),
  },
  /** Says that this participant will not answer this round, and why. */
  'round.decline': {
    request: z.strictObject({
      job: hash,
      round,
      attempt: uint32,
      code: z.string().max(100),
      message: z.string().max(1000),
    }),
    answer: empty,
  },
  /** Reports held-out metrics of a model. */
  'metrics.report': { request: metricsSchema, answer: empty },
  /** Attests the chain of records up to a head, in a job whose rounds become final by attestations. */
  'round.attest': {
    request: z.strictObject({ job: hash, round: round.min(1), head, signature }),
    answer: empty,
  },
  /** Subscribes an operator to `job.event`, from the beginning of the job. */
  'job.watch': { request: z.strictObject({ job: hash }), answer: z.strictObject({ state: jobStateSchema }) },
  /** Lists an operator the coordinator's jobs: all, or those that are open and so can be asked about. */
  'operator.jobs': {
    request: z.strictObject({ which: z.enum(['all', 'open']) }),
    answer: z.strictObject({ jobs: z.array(jobSummarySchema) }),
  },
  /** Shows an operator one job in full. */
  'operator.job': { request: z.strictObject({ job: hash }), answer: z.strictObject({ job: jobDetailSchema }) },
  /** Starts, pauses, resumes or stops a job; answers what it is then. */
  'operator.act': {
    request: z.strictObject({ job: hash, action: z.enum(['start', 'pause', 'resume', 'stop']), reason: why }),
    answer: z.strictObject({ job: jobSummarySchema, changed: z.boolean() }),
  },
  /** Keeps a participant out of a job, or lets it in again. */
  'operator.participant': {
    request: z.strictObject({ job: hash, participant: address, action: z.enum(['ban', 'allow']), reason: why }),
    answer: z.strictObject({ job: jobDetailSchema, changed: z.boolean() }),
  },
} as const satisfies Record<string, Operation>;

/** Name of a request. */
export type OperationName = keyof typeof OPERATIONS;

/** What a request carries. */
export type RequestOf<Name extends OperationName> = z.infer<(typeof OPERATIONS)[Name]['request']>;

/** What a successful request is answered with. */
export type AnswerOf<Name extends OperationName> = z.infer<(typeof OPERATIONS)[Name]['answer']>;

/** Acknowledgement of a request: the answer, or a coded failure. */
export type Reply<Answer> =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly code: string; readonly message: string };

const replySchema = z.discriminatedUnion('ok', [
  z.strictObject({ ok: z.literal(true), answer: z.unknown() }),
  z.strictObject({ ok: z.literal(false), code: z.string(), message: z.string() }),
]);

/**
 * Validates an acknowledgement as it arrives.
 *
 * @returns the reply, or undefined if it is not one
 */
export function parseReply<Name extends OperationName>(name: Name, value: unknown): Reply<AnswerOf<Name>> | undefined {
  const reply = replySchema.safeParse(value);
  if (!reply.success) return undefined;
  if (!reply.data.ok) return reply.data;
  const answer = OPERATIONS[name].answer.safeParse(reply.data.answer);
  return answer.success ? { ok: true, answer: answer.data as AnswerOf<Name> } : undefined;
}

/** Names of the messages the coordinator sends unasked: `job.state` to participants, `job.event` to watching operators. */
export const NOTICES = { jobState: 'job.state', jobEvent: 'job.event' } as const;

/** Validates a `job.state` notice; undefined if it is not one. */
export function parseJobState(value: unknown): JobStateMessage | undefined {
  const parsed = jobStateSchema.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

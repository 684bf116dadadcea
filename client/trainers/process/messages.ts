import { z } from 'zod';
import type { Hex } from '../../../shared/bytes.ts';
import type { Json } from '../../../shared/codec.ts';

/** Version of the protocol between client and trainer program; `docs/trainers.md` is its text. */
export const TRAINER_PROTOCOL = 1;

/** A tensor as the manifest lists it. */
export interface TensorShape {
  /** Its name in safetensors files. */
  readonly name: string;
  /** Dimensions; `[]` is a scalar. */
  readonly shape: readonly number[];
}

/** What the client asks of a program. All but `cancel` are answered once, by their `id`. */
export type Request =
  | {
      readonly type: 'hello';
      readonly id: number;
      /** Versions that the client speaks. */
      readonly protocols: readonly number[];
      /** Tensors in manifest order. */
      readonly tensors: readonly TensorShape[];
      /** The manifest's `task`, to the letter. */
      readonly task: Json;
      /** Absolute paths of the client's own data. */
      readonly data: readonly string[];
      /** 32 bytes that hide the data behind its commitment; they stay secret. */
      readonly salt: Hex;
    }
  | {
      readonly type: 'train';
      readonly id: number;
      /** Round number. */
      readonly round: number;
      /** Unsigned 32 bits; decides every random choice. */
      readonly seed: number;
      /** File with the global model. */
      readonly weights: string;
      /** Seconds after which the client gives up. */
      readonly timeoutS: number;
    }
  | { readonly type: 'evaluate'; readonly id: number; readonly weights: string; readonly timeoutS: number }
  | { readonly type: 'cancel'; readonly id: number };

const id = z.number().int().min(0);
const uint32 = z.number().int().min(0).max(0xffff_ffff);

const messageSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('hello'),
    id,
    protocol: z.number().int(),
    name: z.string().max(200).optional(),
    datasetCommitment: z
      .string()
      .regex(/^0x[0-9a-f]{64}$/)
      .transform((text) => text as Hex)
      .nullish(),
  }),
  z.object({ type: z.literal('progress'), id, done: z.number().min(0).max(1), loss: z.number().nullish() }),
  z.object({
    type: z.literal('update'),
    id,
    file: z.string(),
    samples: uint32.min(1),
    loss: z.number(),
    energyJ: z.number().min(0).nullish(),
  }),
  z.object({
    type: z.literal('evaluation'),
    id,
    correct: uint32,
    total: uint32,
    lossSum: z.number(),
    constantCorrect: uint32.nullish(),
  }),
  z.object({ type: z.literal('cancelled'), id }),
  z.object({
    type: z.literal('error'),
    id,
    code: z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/),
    message: z.string(),
  }),
]);

/** What a program says. Members that the protocol does not name are passed over. */
export type Message = z.infer<typeof messageSchema>;

/** The message of one kind. */
export type MessageOf<Type extends Message['type']> = Extract<Message, { type: Type }>;

/**
 * Reads one line of a program's standard output.
 *
 * @param line - without its end
 * @returns the message, or why it is none, without a word of the line itself
 */
export function readMessage(line: string): Message | { readonly type: 'unreadable'; readonly why: string } {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { type: 'unreadable', why: "a line of the trainer's standard output is no JSON" };
  }
  const parsed = messageSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join('.') || 'message';
  return {
    type: 'unreadable',
    why: `a line of the trainer's standard output is no message of the protocol: field "${field}"`,
  };
}

import { ALPHABET_SIZE } from '../../client/data/alphabet.ts';
import type { LayersArchitecture } from '../../client/trainers/tfjs/architecture.ts';
import type { TrainingSettings } from '../../client/trainers/tfjs/training-settings.ts';

/** A learning job, apart from its participants and chain. */
export interface LearningJob {
  /** The model as layers JSON. */
  readonly architecture: LayersArchitecture;
  /** How a client trains in one round. */
  readonly training: TrainingSettings;
  /** Characters a prediction sees. */
  readonly contextLength: number;
  /** Held-out examples each client is evaluated on. */
  readonly heldOutSamples: number;
  /** Rounds by default. */
  readonly rounds: number;
  /** Binary places of the first round's updates: its largest coordinates, about 0.5, leave a factor of 2 to spare. */
  readonly initialUpdateBits: number;
}

const CONTEXT_LENGTH = 16;

/**
 * Predicts the next character of a text from the 16 before it: each character's one-hot row is embedded in 24 numbers,
 * all 16 embeddings feed 192 hidden units (Bengio et al., "A neural probabilistic language model", JMLR 2003).
 * 94,969 parameters.
 */
export const nextCharacterJob: LearningJob = {
  architecture: {
    class_name: 'Sequential',
    config: {
      name: 'next-character',
      layers: [
        {
          class_name: 'Dense',
          config: {
            name: 'embedding',
            units: 24,
            activation: 'linear',
            use_bias: false,
            batch_input_shape: [null, CONTEXT_LENGTH, ALPHABET_SIZE],
            dtype: 'float32',
          },
        },
        { class_name: 'Flatten', config: { name: 'context' } },
        { class_name: 'Dense', config: { name: 'hidden', units: 192, activation: 'relu' } },
        { class_name: 'Dense', config: { name: 'logits', units: ALPHABET_SIZE, activation: 'linear' } },
      ],
    },
  },
  training: {
    optimizer: 'momentum',
    learningRate: 0.3,
    momentum: 0.9,
    batchSize: 128,
    steps: 60,
    // Seldom reached while training goes well; it keeps the numbers finite where an unprotected rule wrecks the model.
    clipNorm: 1,
  },
  contextLength: CONTEXT_LENGTH,
  heldOutSamples: 1_024,
  rounds: 16,
  initialUpdateBits: 12,
};

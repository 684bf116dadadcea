import * as tf from '@tensorflow/tfjs-core';
import type { DescentSettings, OptimizerSettings } from './training-settings.ts';

/** An optimizer at work on some variables. */
export interface Optimizer {
  /**
   * Takes one step downhill.
   *
   * @param gradients - of the loss, one a variable; where there is none the variable stays
   */
  apply(gradients: readonly (tf.Tensor | undefined)[]): void;
  /** Frees the optimizer's own tensors, not the variables. */
  dispose(): void;
}

/**
 * Starts an optimizer whose state is zero. TensorFlow.js's own optimizers never free their learning rate, a tensor a
 * round, and keep their state by variable name; here it belongs to one round and goes with it.
 *
 * @param settings - optimizer, step size, weight decay and proximal term
 * @param variables - what to optimize; where they are now is what the proximal term pulls towards
 */
export function createOptimizer(settings: DescentSettings, variables: readonly tf.Variable[]): Optimizer {
  const { optimizer, learningRate, weightDecay, proximal } = settings;
  const rule = createRule(optimizer, variables);
  const anchors = proximal === 0 ? [] : variables.map((variable) => variable.clone());
  return {
    apply: (gradients) => {
      rule.begin?.();
      tf.tidy(() => {
        variables.forEach((variable, index) => {
          const ofLoss = gradients[index];
          if (ofLoss === undefined) return;
          const anchor = anchors[index];
          const gradient = anchor ? tf.add(ofLoss, tf.mul(tf.sub(variable, anchor), proximal)) : ofLoss;
          const step = tf.mul(rule.direction(gradient, index), learningRate);
          const whole = weightDecay === 0 ? step : tf.add(step, tf.mul(variable, learningRate * weightDecay));
          variable.assign(tf.sub(variable, whole));
        });
      });
    },
    dispose: () => tf.dispose([...rule.state, ...anchors]),
  };
}

/** What turns gradients into directions. */
interface DirectionRule {
  /** Called once before the directions of a step. */
  begin?(): void;
  direction(gradient: tf.Tensor, index: number): tf.Tensor;
  readonly state: readonly tf.Variable[];
}

function createRule(optimizer: OptimizerSettings, variables: readonly tf.Variable[]): DirectionRule {
  const zeros = (): tf.Variable[] =>
    variables.map((variable) => tf.tidy(() => tf.variable(tf.zerosLike(variable), false)));
  switch (optimizer.name) {
    case 'sgd':
      return { direction: (gradient) => gradient, state: [] };
    case 'momentum':
      return createMomentum(optimizer.momentum, zeros());
    case 'adam':
      return createAdam(optimizer, zeros(), zeros());
  }
}

function createMomentum(momentum: number, velocities: readonly tf.Variable[]): DirectionRule {
  return {
    state: velocities,
    direction: (gradient, index) => {
      const velocity = velocities[index] as tf.Variable;
      const next = tf.add(tf.mul(velocity, momentum), gradient);
      velocity.assign(next);
      return next;
    },
  };
}

/** Algorithm 1 of Kingma and Ba; powers of beta are multiplied up, as the language leaves the precision of `**` open. */
function createAdam(
  { beta1, beta2, epsilon }: Extract<OptimizerSettings, { readonly name: 'adam' }>,
  means: readonly tf.Variable[],
  squares: readonly tf.Variable[],
): DirectionRule {
  let power1 = 1;
  let power2 = 1;
  return {
    state: [...means, ...squares],
    begin: () => {
      power1 *= beta1;
      power2 *= beta2;
    },
    direction: (gradient, index) => {
      const mean = means[index] as tf.Variable;
      const square = squares[index] as tf.Variable;
      const nextMean = tf.add(tf.mul(mean, beta1), tf.mul(gradient, 1 - beta1));
      const nextSquare = tf.add(tf.mul(square, beta2), tf.mul(tf.square(gradient), 1 - beta2));
      mean.assign(nextMean);
      square.assign(nextSquare);
      return tf.div(tf.div(nextMean, 1 - power1), tf.add(tf.sqrt(tf.div(nextSquare, 1 - power2)), epsilon));
    },
  };
}

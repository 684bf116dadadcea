import type { LayerPlan, ModelPlan } from './model-plan.ts';

/**
 * Products and sums that one example takes there and back: what a layer is to its weights, its gradients and, behind the
 * first layer, its slopes.
 */
export function stepOperations({ layers }: ModelPlan): number {
  return layers.reduce((sum, layer) => sum + layerOperations(layer) * ('from' in layer && layer.from === 0 ? 2 : 3), 0);
}

/** Products and sums that one example takes there. */
export function forwardOperations({ layers }: ModelPlan): number {
  return layers.reduce((sum, layer) => sum + layerOperations(layer), 0);
}

/** Products and sums that one example takes through a layer, there. */
function layerOperations(layer: LayerPlan): number {
  if (layer.kind === 'dense') return 2 * layer.inputs * layer.outputs;
  if (layer.kind !== 'convolution') return 0;
  const { height, width, channels, size, filters } = layer;
  return 2 * (height - size + 1) * (width - size + 1) * size * size * channels * filters;
}

// The linear layers of a model and how each weight lies, found by building the model once: what adapters and four bits may touch.
import { createGraph } from '../graph/graph.ts';
import { createLayers, type Layers } from './layers.ts';
import type { Head, LinearTarget, Model } from './model.ts';

/** In the order in which the model with this head multiplies by them. */
export function linearLayers(model: Model, head: Head): LinearTarget[] {
  const g = createGraph();
  const specs = model.parameters(head);
  const found = new Map<string, LinearTarget>();
  const plain = createLayers(g, {
    weight(name) {
      const spec = specs.get(name);
      if (!spec) throw new Error(`no weight ${name}`);
      return g.input(name, 'float32', spec.shape);
    },
  });
  const layers: Layers = {
    ...plain,
    linear(x, name, form) {
      found.set(name, { name, layout: form?.layout ?? 'out-in' });
      return plain.linear(x, name, form);
    },
  };
  if (model.modality === 'text') {
    // A text of two tokens.
    const inputIds = g.input('inputIds', 'int32', [1, 2]);
    model.build(layers, { inputIds, attentionBias: g.input('bias', 'float32', [1, 1, 1, 2]) }, head);
    return [...found.values()];
  }
  const pixelValues = g.input('pixelValues', 'float32', [1, model.channels, model.imageSize, model.imageSize]);
  if (model.modality === 'image') model.build(layers, { pixelValues }, head);
  else {
    const inputIds = g.input('inputIds', 'int32', [1, 2]);
    const ends = g.input('ends', 'int32', [1]);
    model.build(layers, { pixelValues, inputIds, attentionBias: g.input('bias', 'float32', [1, 1, 1, 2]), ends });
  }
  return [...found.values()];
}

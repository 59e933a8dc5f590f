// One network with its weights inside, built at the sizes an export is made from, and at those its parity is measured at.
import { createGraph, type GraphBuilder } from '../graph/graph.ts';
import { lowerGraph } from '../graph/onnx.ts';
import type { OnnxNode, OnnxParts } from '../graph/onnx-bytes.ts';
import type { Value } from '../graph/ops.ts';
import type { FloatTensor } from '../graph/tensor.ts';
import { createLayers, type Layers } from '../models/layers.ts';
import type { Decoding, Head, ImageModel, ImageTextModel, Model, TextModel } from '../models/model.ts';
import { generalize, type Sizes, sample_sizes, sizeName } from './generalize.ts';
import { spellOut } from './standard-ops.ts';
import {
  decoderPrologue,
  encoderPrologue,
  pastName,
  presentName,
  readerPrologue,
  towersPrologue,
} from './text-inputs.ts';

/** A trained model, adapters merged, ready to be written elsewhere. */
export interface ExportSource {
  readonly model: Model;
  readonly head: Head;
  /** By the names of `model.parameters(head)`. */
  readonly weights: ReadonlyMap<string, FloatTensor>;
}

/** Weights are parts of the model. */
export function constantLayers(g: GraphBuilder, weights: ExportSource['weights']): Layers {
  const values = new Map<string, Value>();
  return createLayers(g, {
    weight(name) {
      const known = values.get(name);
      if (known) return known;
      const tensor = weights.get(name);
      if (!tensor) throw new Error(`no weight ${name}`);
      const value = g.constant({ type: 'float32', ...tensor });
      values.set(name, value);
      return value;
    },
  });
}

/** @returns the parts of a model that takes any batch and, of texts, any length. */
export function exportNetwork(source: ExportSource): OnnxParts {
  const parts = exportAnySize(source);
  return { ...parts, nodes: spellOut(parts.nodes) };
}

function exportAnySize(source: ExportSource): OnnxParts {
  const { model, head } = source;
  if (model.modality === 'image') return exportImageNetwork(source, model);
  if (model.modality === 'image-text') return exportTowers(source, model);
  if (head.kind === 'causal-lm') {
    if (!model.decoding) throw new Error(`${model.modelType} does not write texts`);
    return exportDecoder(source, model, model.decoding);
  }
  if (model.decoding) return exportReader(source, model, model.decoding);
  const parts = generalize(sample_sizes.map((sizes) => lowerGraph(buildEncoder(source, model, sizes))));
  const { nodes, inputs } = encoderPrologue();
  return { ...parts, nodes: [...nodes, ...parts.nodes], inputs };
}

/** What Transformers.js calls the answer of a head. */
const outputName = ({ kind }: Head) => (kind === 'embedding' ? 'last_hidden_state' : 'logits');

function buildEncoder({ head, weights }: ExportSource, model: TextModel, { rows, length }: Sizes) {
  const g = createGraph();
  const inputIds = g.input('inputIds', 'int32', [rows, length]);
  const attentionBias = g.input('attentionBias', 'float32', [rows, 1, 1, length]);
  const layers = constantLayers(g, weights);
  // Transformers.js pools the vectors of the tokens itself: what a head on each token would read is the answer.
  const answer =
    head.kind === 'embedding'
      ? model.build(
          { ...layers, linear: (x, name, form) => (isHeadOf(model, name) ? x : layers.linear(x, name, form)) },
          { inputIds, attentionBias },
          { kind: 'token-classification', labels: 1 },
        )
      : model.build(layers, { inputIds, attentionBias }, head);
  g.output(outputName(head), answer);
  return g.graph;
}

function isHeadOf(model: TextModel, linear: string): boolean {
  return model.parameters({ kind: 'token-classification', labels: 1 }).get(`${linear}.weight`)?.part === 'head';
}

function exportDecoder({ weights }: ExportSource, model: TextModel, decoding: Decoding): OnnxParts {
  const { layers: layerCount, keyHeads, depth, slidingWindow } = decoding;
  const builds = sample_sizes.map(({ rows, length, past }) => {
    const g = createGraph();
    const bias = (name: string) => g.input(name, 'float32', [rows, 1, length, past + length]);
    const outputs = decoding.build(constantLayers(g, weights), {
      inputIds: g.input('inputIds', 'int32', [rows, length]),
      positions: g.input('positions', 'int32', [rows, length]),
      positionLimit: model.maxLength,
      attentionBias: bias('attentionBias'),
      ...(slidingWindow === undefined ? {} : { slidingBias: bias('slidingBias') }),
      past: Array.from({ length: layerCount }, (_, layer) => ({
        key: g.input(pastName(layer, 'key'), 'float32', [rows, keyHeads, past, depth]),
        value: g.input(pastName(layer, 'value'), 'float32', [rows, keyHeads, past, depth]),
      })),
    });
    g.output('logits', outputs.logits);
    outputs.presents.forEach(({ key, value }, layer) => {
      g.output(presentName(layer, 'key'), key);
      g.output(presentName(layer, 'value'), value);
    });
    return lowerGraph(g.graph);
  });
  const parts = generalize(builds);
  const { nodes, inputs } = decoderPrologue({ layers: layerCount, keyHeads, depth, slidingWindow });
  return { ...parts, nodes: [...nodes, ...parts.nodes], inputs };
}

/** A decoder that reads a whole text and answers once, or for each token: no cache, as an encoder to whoever runs it. */
function exportReader({ head, weights }: ExportSource, model: TextModel, decoding: Decoding): OnnxParts {
  const { slidingWindow } = decoding;
  const answersOnce = head.kind === 'classification' || head.kind === 'regression';
  const builds = sample_sizes.map(({ rows, length }) => {
    const g = createGraph();
    const bias = (name: string) => g.input(name, 'float32', [rows, 1, length, length]);
    const { logits } = decoding.build(
      constantLayers(g, weights),
      {
        inputIds: g.input('inputIds', 'int32', [rows, length]),
        positions: g.input('positions', 'int32', [rows, length]),
        positionLimit: model.maxLength,
        attentionBias: bias('attentionBias'),
        ...(slidingWindow === undefined ? {} : { slidingBias: bias('slidingBias') }),
        ...(answersOnce ? { scored: g.input('ends', 'int32', [rows]) } : {}),
        past: [],
      },
      head,
    );
    g.output(outputName(head), logits);
    return lowerGraph(g.graph);
  });
  const parts = generalize(builds);
  const { nodes, inputs } = readerPrologue(slidingWindow);
  return { ...parts, nodes: [...nodes, ...parts.nodes], inputs };
}

function exportImageNetwork({ head, weights }: ExportSource, model: ImageModel): OnnxParts {
  const builds = sample_sizes.map(({ rows }) => {
    const g = createGraph();
    const pixelValues = g.input('pixel_values', 'float32', [rows, model.channels, model.imageSize, model.imageSize]);
    g.output(outputName(head), model.build(constantLayers(g, weights), { pixelValues }, head));
    return lowerGraph(g.graph);
  });
  const parts = generalize(builds);
  const shape: OnnxNode = { type: 'Shape', attributes: {}, inputs: ['pixel_values'], outputs: ['shape_of_pixels'] };
  const rows: OnnxNode = {
    type: 'Slice',
    attributes: {},
    inputs: ['shape_of_pixels', { ints: [0] }, { ints: [1] }, { ints: [0] }],
    outputs: [sizeName('rows')],
  };
  return { ...parts, nodes: [shape, rows, ...parts.nodes] };
}

/** Texts and images of any number each: the images' stands where a decoder's past does. */
function exportTowers({ weights }: ExportSource, model: ImageTextModel): OnnxParts {
  const builds = sample_sizes.map(({ rows, length, past: images }) => {
    const g = createGraph();
    const layers = constantLayers(g, weights);
    const texts = model.textVectors(layers, {
      inputIds: g.input('inputIds', 'int32', [rows, length]),
      attentionBias: g.input('attentionBias', 'float32', [rows, 1, length, length]),
      ends: g.input('ends', 'int32', [rows]),
    });
    const shape = [images, model.channels, model.imageSize, model.imageSize];
    const pictures = model.imageVectors(layers, { pixelValues: g.input('pixel_values', 'float32', shape) });
    const similarities = g.op('Gemm', [texts, pictures], { transA: false, transB: true });
    g.output('logits_per_image', g.op('Transpose', [similarities], { perm: [1, 0] }));
    g.output('logits_per_text', similarities);
    const scale = g.op('Exp', [layers.weight('logit_scale')]);
    g.output('text_embeds', g.op('Div', [texts, scale]));
    g.output('image_embeds', pictures);
    return lowerGraph(g.graph);
  });
  const parts = generalize(builds);
  const pixels = parts.inputs.filter(({ name }) => name === 'pixel_values');
  const { nodes, inputs } = towersPrologue();
  return { ...parts, nodes: [...nodes, ...parts.nodes], inputs: [...inputs, ...pixels] };
}

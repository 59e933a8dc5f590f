// README.md of an artifact: what the model does, how it was trained, and how well it does on held-out examples.
import type { Metrics, MetricsOf } from '../runs/events.ts';
import type { TaskName } from '../runs/spec.ts';
import type { ArtifactContent } from './artifact.ts';
import { tasks } from './tasks/index.ts';

/** Label names are a stranger's text: shown as code, where Markdown and HTML mean nothing. */
const asCode = (text: string) => `\`${text.replace(/[`|\r\n]/g, ' ').slice(0, 80)}\``;
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const listed = (labels: readonly string[]) => labels.slice(0, 20).map(asCode).join(', ');
const short = (value: number) => String(Number(value.toPrecision(4)));

const titles: { readonly [T in TaskName]: { title: string; does: (labels: readonly string[]) => string } } = {
  'text-classification': { title: 'A text classifier', does: (labels) => `to tell ${listed(labels)} apart` },
  regression: { title: 'A model that rates texts', does: () => 'to give a text a number' },
  'token-classification': { title: 'A model that tags words', does: (labels) => `to tag words with ${listed(labels)}` },
  'masked-lm': { title: 'A masked language model', does: () => 'to guess hidden words' },
  'causal-lm': { title: 'A language model', does: () => 'to go on writing' },
  'image-text': { title: 'A model of pictures and texts', does: () => 'to tell which texts fit which pictures' },
  'image-classification': { title: 'An image classifier', does: (labels) => `to tell ${listed(labels)} apart` },
};

const figures: { readonly [Kind in Metrics['kind']]: (metrics: MetricsOf<Kind>) => string } = {
  classification: ({ examples, accuracy, majorityAccuracy, macroF1, perClass, entities }) => `\
- Held-out examples ${examples}: accuracy ${percent(accuracy)} (always the most frequent class: ${percent(majorityAccuracy)}), macro F1 ${percent(macroF1)}${
    entities === undefined
      ? ''
      : `\n- Whole names: precision ${percent(entities.precision)}, recall ${percent(entities.recall)}, F1 ${percent(entities.f1)}`
  }

| label | precision | recall | F1 | examples |
|---|---|---|---|---|
${perClass
  .map(
    ({ label, precision, recall, f1, support }) =>
      `| ${asCode(label)} | ${percent(precision)} | ${percent(recall)} | ${percent(f1)} | ${support} |`,
  )
  .join('\n')}`,
  regression: ({ examples, meanAbsoluteError, baselineAbsoluteError, meanSquaredError, r2, spearman }) => `\
- Held-out examples ${examples}: mean absolute error ${short(meanAbsoluteError)} (always the mean: ${short(baselineAbsoluteError)}), mean squared error ${short(meanSquaredError)}, R² ${short(r2)}, Spearman ${short(spearman)}
- The network answers with numbers of mean 0 and deviation 1: \`target\` in finetutor.json says how to scale them back`,
  retrieval: ({ imageToText, textToImage, images, texts, loss, chanceLoss }) => `\
- Held out: ${images} pictures, ${texts} captions; loss ${short(loss)} (knowing nothing: ${short(chanceLoss)})

| looked for | recall@1 | by chance | recall@5 | by chance |
|---|---|---|---|---|
${[['the caption of a picture', imageToText] as const, ['the picture of a caption', textToImage] as const]
  .map(
    ([name, { recallAt1, chanceAt1, recallAt5, chanceAt5 }]) =>
      `| ${name} | ${percent(recallAt1)} | ${percent(chanceAt1)} | ${percent(recallAt5)} | ${percent(chanceAt5)} |`,
  )
  .join('\n')}`,
  'language-model': ({ examples, tokens, loss, perplexity, tokenAccuracy }) => `\
- Held-out texts ${examples}, ${tokens} tokens: loss ${short(loss)}, perplexity ${short(perplexity)}, ${percent(tokenAccuracy)} of the tokens guessed first`,
};

function figuresOf<Kind extends Metrics['kind']>(metrics: MetricsOf<Kind>): string {
  return figures[metrics.kind as Kind](metrics);
}

/** What "best" was, in words. */
const best: { readonly [Kind in Metrics['kind']]: string } = {
  classification: 'where the held-out macro F1 was highest',
  regression: 'where the held-out error was lowest',
  'language-model': 'where the held-out loss was lowest',
  retrieval: 'where the held-out loss was lowest',
};

export function modelCard({ spec, base, labels, epochs, metrics, bestStep, parameters }: ArtifactContent): string {
  const { hyper } = spec;
  const { title, does } = titles[spec.task];
  const method = parameters.lora ? `LoRA, rank ${hyper.loraRank}, alpha ${hyper.loraAlpha}` : 'all weights';
  return `---
pipeline_tag: ${tasks[spec.task].pipeline}
library_name: ${parameters.lora ? 'peft' : 'transformers'}
---
# ${title}

Trained by Finetutor from ${asCode(base.source)} (${method}) ${does(labels)}.

- Epochs ${epochs}, batch size ${hyper.batchSize}, at most ${hyper.maxLength} tokens, seed ${hyper.seed}
- Weights of step ${bestStep}, ${best[metrics.kind]}
${figuresOf(metrics)}

The held-out examples also chose the step that is kept, so they flatter a little; measure on data of your own before relying on it.
`;
}

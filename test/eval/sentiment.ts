// npm run eval: the honest figure. Trains a fresh small encoder on real film reviews with every default, then scores it
// on sentences that neither training nor any choice of ours has seen (dev.tsv).
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { classificationMetrics } from '../../engine/evaluate/classification.ts';
import { runSpecSchema } from '../../engine/runs/spec.ts';
import { loadPredictor } from '../../engine/tuning/predict.ts';
import { train } from '../../engine/tuning/train.ts';
import { only } from '../support/kinds.ts';

const reviews = '../shared/data/sst2';
if (!existsSync(join(reviews, 'train.tsv'))) {
  console.log(
    `skipped: ${reviews} is not here (SST-2 as train.tsv and dev.tsv, "sentence TAB label" without a header)`,
  );
  process.exit(0);
}

const out = await mkdtemp(join(tmpdir(), 'finetutor-eval-'));
try {
  const spec = runSpecSchema.parse({
    task: 'text-classification',
    data: { train: join(reviews, 'train.tsv') },
    out,
  });
  const startedAt = performance.now();
  for await (const event of train(spec, { signal: new AbortController().signal, resume: false, now: Date.now })) {
    if (event.type === 'error') throw new Error(event.message);
    if (event.type === 'start') {
      const { trainExamples, parameters, epochs, totalSteps } = event;
      console.log(`${trainExamples} examples, ${parameters} parameters, ${epochs} epochs, ${totalSteps} steps`);
    }
    if (event.type === 'eval') {
      const { loss, accuracy } = only('classification', event.metrics);
      console.log(`step ${event.step}: held-out loss ${loss.toFixed(3)}, accuracy ${(100 * accuracy).toFixed(1)} %`);
    }
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const rows = (await readFile(join(reviews, 'dev.tsv'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  const classifier = await loadPredictor(out, { device: 'cpu' });
  const predictions = await classifier.predict(rows.map(([text]) => text ?? ''));
  await classifier.close();
  const { labels } = classifier;
  const logits = predictions.flatMap((one) => {
    const { scores } = only('classification', one);
    return labels.map((label) => Math.log(scores[label] ?? 0));
  });
  const metrics = classificationMetrics({
    actual: rows.map(([, label]) => labels.indexOf(label ?? '')),
    logits: Float32Array.from(logits),
    labels,
  });
  const points = 100 * (metrics.accuracy - metrics.majorityAccuracy);
  console.log(
    `dev.tsv, ${metrics.examples} sentences never seen: accuracy ${(100 * metrics.accuracy).toFixed(1)} %, macro F1 ${(100 * metrics.macroF1).toFixed(1)} %, ` +
      `majority class ${(100 * metrics.majorityAccuracy).toFixed(1)} % (${points.toFixed(1)} points above), trained in ${seconds.toFixed(0)} s on ${cpus().length} cores`,
  );
} finally {
  await rm(out, { recursive: true, force: true });
}

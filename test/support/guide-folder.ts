// A small guide on disk for tests that must not depend on the shipped chapters, and ways to break it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const asks = (topic: string) =>
  `<!-- asks: what is ${topic} | ${topic} explained | why ${topic} | ${topic} meaning | how does ${topic} work | ${topic} help -->`;

export const smallChapter = `---
id: fitting
title: Fitting well
phase: foundations
objectives: [Tell the two failures apart]
prerequisites: []
minutes: 10
sources: ["Somebody, A Paper, 2020"]
---
A model fails in two ways, and this chapter shows both.

## Overfitting {#overfitting}
${asks('overfitting')}
**Overfitting** is when a model learns the noise of its training data as if it were
a pattern. New data then suffers. See [dropout](guide:fitting#dropout).

| split | accuracy |
|---|--:|
| train | 99 % |
| test | 62 % |

**Pitfalls**
- Judging by the training score alone.

## Dropout {#dropout}
${asks('dropout')}
Dropout switches off units at random while training. It works like an ensemble of many thin networks.

\`\`\`python
## not a heading {#no}
layer = Dropout(0.5)
\`\`\`
`;

export const smallQuiz = `- id: fitting.gap
  section: overfitting
  difficulty: 1
  question: What shows overfitting?
  choices:
    - { id: a, text: A wide gap, feedback: "Train is far better than test." }
    - { id: b, text: No gap, feedback: "No gap means it generalizes, or underfits." }
    - { id: c, text: A slow run, feedback: "Speed says nothing about fit." }
  correct: a
- id: fitting.units
  section: dropout
  difficulty: 2
  question: What does dropout switch off?
  choices:
    - { id: a, text: Layers, feedback: "Whole layers stay." }
    - { id: b, text: Units, feedback: "Units, at random." }
    - { id: c, text: The loss, feedback: "The loss is always computed." }
  correct: b
- id: fitting.ensemble
  section: dropout
  difficulty: 3
  question: What does dropout resemble?
  choices:
    - { id: a, text: An ensemble, feedback: "Of many thin networks." }
    - { id: b, text: A larger batch, feedback: "The batch does not change." }
    - { id: c, text: A cache, feedback: "Nothing is stored." }
  correct: a
`;

/** Writes the files into a fresh folder that goes when the test ends. */
export function writeGuide(files: { readonly [path: string]: string }): string {
  const folder = mkdtempSync(join(tmpdir(), 'finetutor-guide-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const below of ['quizzes', 'diagrams']) mkdirSync(join(folder, below));
  for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
  return folder;
}

// Softmax with temperature, cross-entropy and perplexity, Bayes' rule, entropy, Gini and information gain.
import { type Calculator, computed, missing } from './calculation.ts';
import { numbersIn, readField, readLists } from './read-numbers.ts';
import { show, showPercent } from './show.ts';

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** exp(zᵢ/T) / Σ exp(zⱼ/T), shifted by the largest so that nothing overflows. */
export function softmax(logits: readonly number[], temperature = 1): readonly number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((logit) => Math.exp((logit - largest) / temperature));
  return powers.map((power) => power / sum(powers));
}

/** In bits: −Σ p·log₂ p, of counts or shares. */
export function entropyOf(counts: readonly number[]): number {
  const total = sum(counts);
  return sum(counts.map((count) => (count === 0 ? 0 : -(count / total) * Math.log2(count / total))));
}

/** 1 − Σ p². */
export function giniOf(counts: readonly number[]): number {
  const total = sum(counts);
  return 1 - sum(counts.map((count) => (count / total) ** 2));
}

/** P(condition | positive), from base rate, true positive rate and false positive rate. */
export function posterior(baseRate: number, truePositiveRate: number, falsePositiveRate: number): number {
  const hits = baseRate * truePositiveRate;
  return hits / (hits + (1 - baseRate) * falsePositiveRate);
}

const temperatureName = { names: 'temperature|temp|t' };

export const softmaxOf: Calculator = ({ text }) => {
  if (!/soft-?max|\blogits?\b/.test(text) || /cross[\s-]?entropy|\bloss\b/.test(text)) return undefined;
  const temperature = readField(text, temperatureName) ?? 1;
  const logits = readLists(text.replace(/\b(?:temperature|temp|t)\s*(?:=|:|of|is)?\s*[\d.]+/g, ' ')).find(
    (list) => list.length >= 2,
  );
  if (logits === undefined || temperature <= 0) return undefined;
  const shares = softmax(logits, temperature);
  const scaled = logits.map((logit) => logit / temperature);
  const powers = scaled.map((value) => Math.exp(value));
  return computed({
    result: `**softmax = [${shares.map(show).join(', ')}]**${temperature === 1 ? '' : ` at temperature ${temperature}`}.`,
    working: [
      ...(temperature === 1 ? [] : [`z / T = [${scaled.map(show).join(', ')}]`]),
      `exp   = [${powers.map(show).join(', ')}], sum ${show(sum(powers))}`,
      `share = exp / sum = [${shares.map(show).join(', ')}]`,
    ],
    ...(temperature === 1
      ? {}
      : { note: temperature < 1 ? 'Below 1 the distribution is sharper.' : 'Above 1 the distribution is flatter.' }),
    section: 'neural-networks#cross-entropy',
  });
};

export const perplexity: Calculator = ({ text }) => {
  if (!/perplexity|\bppl\b/.test(text)) return undefined;
  const loss = readField(text, {
    names: String.raw`(?:(?:cross[\s-]?entropy|eval|val(?:idation)?|test|train(?:ing)?|held-?out|nll|log)[\s_-]*)?loss|cross[\s-]?entropy|nll|entropy`,
  });
  if (loss !== undefined && !/loss (?:from|for|of|given) (?:a )?perplexity/.test(text)) {
    const inBits = /\bbits?\b/.test(text);
    const value = inBits ? 2 ** loss : Math.exp(loss);
    return computed({
      result: `**Perplexity = ${show(value)}**.`,
      working: [`perplexity = ${inBits ? '2' : 'e'}^loss = ${inBits ? '2' : 'e'}^${loss} = ${show(value)}`],
      note: inBits
        ? 'The loss is read in bits a token.'
        : 'The loss is read in nats (natural logarithm) a token, as frameworks report it.',
      section: 'evaluation-metrics#perplexity',
    });
  }
  const value = readField(text, { names: 'perplexity|ppl' });
  if (value === undefined || !/loss|entropy/.test(text) || value <= 0) return undefined;
  return computed({
    result: `**Loss = ${show(Math.log(value))}** nats a token.`,
    working: [`loss = ln(perplexity) = ln(${show(value)}) = ${show(Math.log(value))}`],
    section: 'evaluation-metrics#perplexity',
  });
};

export const crossEntropy: Calculator = ({ text }) => {
  if (!/cross[\s-]?entropy|log[\s-]?loss|negative log|\bnll\b/.test(text)) return undefined;
  const named =
    /(?:p|prob\w*|confidence|predicts?|predicted|gives?|assigns?|correct class)\s*(?:of|is|=|:|was|the true class|the right class|the correct class)*\s*(0?\.\d+|1(?:\.0+)?|\d{1,2}(?:\.\d+)?\s*%)/.exec(
      text,
    )?.[1];
  const fallback = numbersIn(text).filter((value) => value > 0 && value <= 1);
  const lists = readLists(text).filter((list) => list.length >= 2 && list.every((value) => value >= 0 && value <= 1));
  const [first, second] = lists;
  if (first && second && first.length === second.length) {
    const target = sum(first) > 0.99 && first.every((value) => value === 0 || value === 1) ? first : second;
    const predicted = target === first ? second : first;
    const value = -sum(
      target.map((share, index) => (share === 0 ? 0 : share * Math.log(predicted[index] ?? Number.NaN))),
    );
    return computed({
      result: `**Cross-entropy = ${show(value)}** nats.`,
      working: [
        `−Σ y·ln p = ${target
          .map((share, index) => `−${show(share)}·ln ${show(predicted[index] ?? 0)}`)
          .filter((term) => !term.startsWith('−0·'))
          .join(' ')} = ${show(value)}`,
      ],
      section: 'neural-networks#cross-entropy',
    });
  }
  const p =
    named === undefined
      ? fallback.length === 1
        ? fallback[0]
        : undefined
      : named.includes('%')
        ? Number.parseFloat(named) / 100
        : Number(named);
  if (p === undefined || p <= 0 || p > 1) return undefined;
  return computed({
    result: `**Loss = ${show(-Math.log(p))}** for this example.`,
    working: [`−ln(p of the right class) = −ln(${show(p)}) = ${show(-Math.log(p))}`],
    section: 'neural-networks#cross-entropy',
  });
};

const rate = String.raw`(\d+(?:\.\d+)?\s*(?:%|percent)|0?\.\d+|1\s*(?:in|\/|out of)\s*\d+)`;

function toShare(written: string): number {
  const fraction = /^1\s*(?:in|\/|out of)\s*(\d+)/.exec(written);
  if (fraction) return 1 / Number(fraction[1]);
  return /%|percent/.test(written) ? Number.parseFloat(written) / 100 : Number.parseFloat(written);
}

function findRate(text: string, names: string): number | undefined {
  const after = new RegExp(`(?:${names})\\b[^\\d.%]{0,18}${rate}`).exec(text)?.[1];
  const before = new RegExp(`${rate}\\s*(?:${names})`).exec(text)?.[1];
  const written = after ?? before;
  return written === undefined ? undefined : toShare(written);
}

export const bayes: Calculator = ({ text, asksForNumber }) => {
  const speaksOfIt =
    /\bbayes\b|posterior|base rate|prevalence|positive test|tests? positive|tested positive|chance (?:that )?(?:\w+ )?(?:is|has|have)\b.*(?:ill|sick|disease|spam|fraud)|really (?:ill|sick|have)/.test(
      text,
    );
  if (!speaksOfIt || /naive/.test(text)) return undefined;
  const baseRate =
    findRate(text, 'base rate|prevalence|prior|incidence') ??
    rateBefore(
      text,
      String.raw`(?:of\s+(?:the\s+)?(?:people|patients|population|cases|mails?|emails|transactions|women|men)|prevalence|base rate|(?:people|patients|mails?)?\s*(?:are|is|have|has)\s+(?:ill|sick|spam|fraud|the disease|infected|it))`,
    );
  const sensitivity = findRate(
    text,
    'sensitivity|recall|true positive rate|tpr|detects?|catches|hit rate|accura(?:te|cy)|p\\(pos(?:itive)?\\|(?:ill|sick|disease)\\)',
  );
  const falseRate = findRate(text, 'false positive rate|false positives?|fpr|false alarm rate|false alarms?');
  const specificity = findRate(text, 'specificity|tnr|true negative rate');
  const fpr =
    falseRate ??
    (specificity === undefined ? undefined : 1 - specificity) ??
    (/accura(?:te|cy)/.test(text) && sensitivity !== undefined ? 1 - sensitivity : undefined);
  const given = [baseRate, sensitivity, fpr].filter((value) => value !== undefined).length;
  if (given === 0 || (given < 2 && !asksForNumber)) return undefined;
  if (baseRate === undefined || sensitivity === undefined || fpr === undefined) {
    return missing({
      what: "the probability by Bayes' rule",
      missing: [
        ...(baseRate === undefined ? ['the base rate (prevalence)'] : []),
        ...(sensitivity === undefined ? ['the sensitivity (true positive rate)'] : []),
        ...(fpr === undefined ? ['the false positive rate or the specificity'] : []),
      ],
      example: 'Bayes with base rate 1%, sensitivity 90%, false positive rate 5%',
      section: 'evaluation-metrics#precision-and-recall',
    });
  }
  const value = posterior(baseRate, sensitivity, fpr);
  return computed({
    result: `**${showPercent(value)}**: the probability that a positive really is one.`,
    working: [
      `true alarms  = base rate × sensitivity = ${show(baseRate)} × ${show(sensitivity)} = ${show(baseRate * sensitivity)}`,
      `false alarms = (1 − base rate) × false positive rate = ${show(1 - baseRate)} × ${show(fpr)} = ${show((1 - baseRate) * fpr)}`,
      `P(real | positive) = ${show(baseRate * sensitivity)} / ${show(baseRate * sensitivity + (1 - baseRate) * fpr)} = ${show(value)}`,
    ],
    ...(value < 0.5 ? { note: 'Most alarms are false here: where positives are rare, the base rate rules.' } : {}),
    section: 'evaluation-metrics#precision-and-recall',
  });
};

function rateBefore(text: string, names: string): number | undefined {
  const written = new RegExp(`${rate}\\s*(?:${names})`).exec(text)?.[1];
  return written === undefined ? undefined : toShare(written);
}

export const impurity: Calculator = ({ text }) => {
  if (/cross[\s-]?entropy/.test(text)) return undefined;
  const wantsGain = /information gain|\binfo gain\b/.test(text);
  const wantsEntropy = /\bentropy\b/.test(text);
  const wantsGini = /\bgini\b/.test(text);
  if (!wantsGain && !wantsEntropy && !wantsGini) return undefined;
  const lists = readLists(text);
  const section = 'algorithms#decision-trees';
  const [parent, ...children] = lists;
  if (wantsGain) {
    if (!parent || children.length < 2) return undefined;
    const total = sum(parent);
    const weighted = sum(children.map((child) => (sum(child) / total) * entropyOf(child)));
    const gain = entropyOf(parent) - weighted;
    return computed({
      result: `**Information gain = ${show(gain)}** bits.`,
      working: [
        `parent entropy [${parent.join(', ')}] = ${show(entropyOf(parent))}`,
        ...children.map(
          (child) => `child [${child.join(', ')}]: weight ${sum(child)}/${total}, entropy ${show(entropyOf(child))}`,
        ),
        `gain = ${show(entropyOf(parent))} − ${show(weighted)} = ${show(gain)}`,
      ],
      section,
    });
  }
  const counts = parent ?? readPair(text);
  if (!counts || counts.length < 2 || counts.some((count) => count < 0) || sum(counts) === 0) return undefined;
  const shares = counts.map((count) => count / sum(counts));
  const lines = [
    `shares  = [${shares.map(show).join(', ')}]`,
    ...(wantsEntropy ? [`entropy = −Σ p·log₂ p = ${show(entropyOf(counts))} bits`] : []),
    ...(wantsGini ? [`Gini    = 1 − Σ p² = 1 − ${show(sum(shares.map((p) => p * p)))} = ${show(giniOf(counts))}`] : []),
  ];
  const results = [
    ...(wantsEntropy ? [`Entropy = ${show(entropyOf(counts))} bits`] : []),
    ...(wantsGini ? [`Gini impurity = ${show(giniOf(counts))}`] : []),
  ];
  return computed({ result: `**${results.join(', ')}**.`, working: lines, section });
};

/** "9 yes and 5 no". */
function readPair(text: string): readonly number[] | undefined {
  const numbers = numbersIn(text);
  return numbers.length >= 2 && numbers.length <= 6 ? numbers : undefined;
}

// "And L1?", "why?", "how is that different from ridge?": a follow-up is read together with what it follows, so that it
// stands alone; a fresh question is left as it is.
import type { Level, Turn } from './answer.ts';
import type { Concepts, NamedConcept } from './concepts.ts';

export interface Reading {
  /** Ways the question may be meant, the likeliest first; each stands alone. */
  readonly candidates: readonly string[];
  /** The question it follows, standing alone; undefined for a fresh question. */
  readonly follows: string | undefined;
  /** It asks for another view of the very section that was answered with before. */
  readonly sameSubject: boolean;
  /** It says "it" or the like, so it cannot be about something new. */
  readonly leans: boolean;
  /** "Simpler, please" and "go deeper". */
  readonly level: Level | undefined;
}

const turnsRead = 6;
const longestFollowUp = 14;

const opening =
  /^\W*(?:(?:and|but|so|or|also|then|ok|okay|well|hm+|right|cool|thanks|great|what about|how about|what if|now)\b[\s,]*)+/i;
const leadIn = /^\W*(?:and|but|so|or|also|then|ok|okay|well|hm+|right|cool|thanks|great|now|what about|how about)\b/i;

/** Whole questions that ask for another view of the same thing, and how they read after its name. */
const views: readonly (readonly [RegExp, (topic: string) => string, Level?])[] = [
  [
    /^(?:but |so |and )?why(?: is that| though| so| not| does that work| that| is it so| exactly)?$|^how (?:come|so)$/,
    (topic) => `why ${topic}`,
  ],
  [
    /^(?:(?:can|could) you )?(?:please )?(?:give|show|tell)?(?: me)?\s*(?:an?|some|one|any|another|a concrete|a worked)?\s*(?:more )?(?:worked |numeric |concrete |simple |real )?examples?(?: of (?:it|that|this))?(?: (?:with|in) (?:real |actual )?numbers)?(?: please| maybe)?$|^(?:with|in) (?:real |actual )?numbers(?: please)?$|^for example$|^like what$|^such as$/,
    (topic) => `${topic} worked example`,
  ],
  [
    /^(?:(?:can|could) you )?(?:please )?(?:show|give|write)?(?: me)?\s*(?:(?:it|that|this) )?(?:in |the |some |with )?(?:python |pytorch |sklearn |scikit learn )?(?:code|python|pytorch|torch|sklearn|scikit learn)(?: for (?:it|that|this))?(?: please| example)?$|^how (?:do|would|can) (?:i|you|we) (?:code|implement|write|program) (?:it|that|this)(?: in \w+)?$|^(?:what does )?(?:it|that|this) looks? like in (?:code|python|pytorch)$/,
    (topic) => `${topic} python code`,
  ],
  [
    /^(?:(?:can|could) you )?(?:show|give|tell)?(?: me)?\s*(?:what(?:s| is) )?(?:the )?(?:formula|equation|math|maths)(?: for (?:it|that|this))?(?: behind (?:it|that|this))?(?: please)?$/,
    (topic) => `${topic} formula`,
  ],
  [
    /^(?:what are )?(?:the |its |any )?(?:pitfalls|drawbacks|downsides|disadvantages|cons|problems|risks|limits|limitations|catch|catches)(?: of (?:it|that|this))?$|^whats the (?:catch|downside)$|^when (?:does|would|will) (?:it|that|this) fail$/,
    (topic) => `${topic} pitfalls`,
  ],
  [
    /^(?:can you )?(?:explain |say |put )?(?:it |that |this )?(?:(?:more )?simpl(?:er|y|ified)|in simple (?:words|terms)|in plain (?:words|english)|like im (?:5|five)|eli5|easier|dumb it down)(?: please)?$|^i (?:dont|do not) (?:get|understand)(?: it| that| this)?(?: at all)?$|^huh$|^what$/,
    (topic) => topic,
    'eli5',
  ],
  [
    /^(?:(?:can|could) you )?(?:go |explain |give |tell )?(?:me )?(?:it |that )?(?:a bit )?(?:deeper|more (?:detail|details|depth|technical|formally)|in (?:more )?(?:depth|detail)|more|the details)(?: please)?$/,
    (topic) => topic,
    'expert',
  ],
];

/** Where the other one of a pair is asked for without its name. */
const opposites: readonly (readonly [string, string])[] = [
  ['overfitting', 'underfitting'],
  ['bias', 'variance'],
  ['precision', 'recall'],
  ['supervised learning', 'unsupervised learning'],
  ['bagging', 'boosting'],
  ['classification', 'regression'],
  ['l1', 'l2'],
  ['lasso', 'ridge'],
  ['encoder', 'decoder'],
  ['vanishing gradients', 'exploding gradients'],
  ['sensitivity', 'specificity'],
  ['false positive', 'false negative'],
  ['pruning', 'growing'],
  ['exploration', 'exploitation'],
  ['training', 'inference'],
];

const pronoun =
  /\b(?:it|its|this|these|those|they|them|their|the same|(?:this|that|the) (?:method|approach|technique|one|thing|problem|model|metric|idea|trick|number|value|kind)|that one|the (?:wrong|right|other|new|old|best|larger|smaller|bigger) ones?|mine|that(?=\s*(?:$|[?.,!]|is|was|does|do|did|happens?|means?|works?|helps?|matters?|so|called|different|better|bad|good|in|for|with|when|to|than|differ|compare|make|help|cost|take|need|or|and|more|faster|slower)))\b/i;
/** "It" that stands for nothing said before. */
const expletive =
  /(?<!why )\b(?:is|was|isnt|does|would) it (?:true|possible|ok|okay|normal|better|worse|worth|safe|bad|good|enough|necessary|wise|useful|allowed|matter|make sense|a good idea|important)\b.*\b(?:to|that|if|whether|when)\b|\bwhat is it called\b|\bit (?:seems|looks like|turns out)\b/i;

export function readInThread(question: string, turns: readonly Turn[], concepts: Concepts): Reading {
  let before: Reading | undefined;
  let subjects: readonly NamedConcept[] = [];
  for (const { role, text } of turns.slice(-2 * turnsRead)) {
    if (role !== 'user' || text.trim() === '') continue;
    const previous = before?.candidates[0];
    before = read(text, previous, subjects, concepts);
    const named = concepts.namedIn(before.candidates[0] ?? text);
    if (named.length > 0) subjects = before.follows === undefined ? named : mergeSubjects(subjects, named);
    else if (before.follows === undefined) subjects = [];
  }
  return read(question, before?.candidates[0], subjects, concepts);
}

function mergeSubjects(before: readonly NamedConcept[], now: readonly NamedConcept[]): readonly NamedConcept[] {
  const fresh = now.filter(({ concept }) => !before.some((known) => known.concept === concept));
  return fresh.length > 0 ? [...fresh, ...before].slice(0, 3) : before;
}

const already = /^(?:(?:but|and|well|hm+|ok) )*(?:i|we)(?:m| am| have|ve| are)? (?:already|also|tried|just)\b/;

/** "No, I meant …": what follows stands in the place of what was understood. */
const correction =
  /^\W*(?:(?:no|sorry|nope|oh|ah|well|hm+)\b[\s,.!]*)*i (?:mean|meant|was asking about|am asking about)\b[\s,:]*/i;
/** "Thanks! Where …", "new topic: …": what follows has nothing to do with what was said. */
const farewell =
  /^\W*(?:(?:thanks|thank you|thx|great|cool|ok|okay|got it|perfect|nice)[^.!?:,]{0,20}[.!:]+\s+|(?:ok(?:ay)?|so|now|and)?[\s,]*(?:new|another|different|other|unrelated|separate) (?:topic|question|subject|thing)[\s:,.-]+)/i;

function read(
  question: string,
  previous: string | undefined,
  subjects: readonly NamedConcept[],
  concepts: Concepts,
): Reading {
  const fresh = (level?: Level): Reading => ({
    candidates: [question],
    follows: undefined,
    sameSubject: false,
    leans: false,
    level,
  });
  if (previous === undefined) return fresh();
  const parting = farewell.exec(question);
  if (parting && question.slice(parting[0].length).trim().split(/\s+/).length >= 4) {
    const rest = question.slice(parting[0].length).trim();
    return { ...fresh(), candidates: [rest] };
  }
  const plain = question
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[-–]/g, ' ')
    .replace(/[?!.,…]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const bare = plain.replace(opening, '').trim() || plain;
  const words = plain.split(' ').length;
  const topic = subjects[0]?.written ?? previous;
  const follow = (candidates: readonly string[], sameSubject = false, level?: Level): Reading => ({
    candidates: [...new Set(candidates)],
    follows: previous,
    sameSubject,
    leans: sameSubject || (pronoun.test(question) && !expletive.test(question)),
    level,
  });

  const corrected = correction.exec(question);
  if (corrected) {
    const rest = question.slice(corrected[0].length).replace(/[?!.\s]+$/, '');
    if (rest !== '') return follow([substitute(previous, subjects[0], rest), rest]);
  }
  // "I already use dropout" narrows what was asked before.
  if (already.test(plain) && words <= longestFollowUp)
    return follow([`${previous.replace(/[?!.\s]+$/, '')} what else helps`, question]);
  const view = views.find(([pattern]) => pattern.test(bare) || pattern.test(plain));
  if (view) return follow([view[1](topic === previous ? previous : `${topic}`)], true, view[2]);

  const own = concepts.namedIn(question);
  const last = subjects[0];
  const second = subjects[1];

  // "The difference?", "which is better?" after two were spoken of.
  if (
    last &&
    second &&
    own.length === 0 &&
    /^(?:(?:so |and )?(?:what(?:s| is) )?(?:the )?)?difference(?:s)?(?: between (?:them|the two|both))?$|^(?:so )?which (?:one )?(?:is|works|should i|do i|would you)\b.*$|^compare (?:them|both|the two)$/.test(
      bare,
    )
  ) {
    return follow([`${second.written} vs ${last.written}`]);
  }
  if (/\b(?:opposite|other one|the reverse|counterpart|the contrary)\b/.test(plain) && own.length <= 1) {
    const other = own[0]?.written ?? oppositeOf(topic);
    if (other !== undefined) return follow([substitute(previous, last, other), other]);
  }
  const compared =
    /\b(?:differ(?:ent|s|ence)?|compare[sd]?|better|worse|faster|slower|instead|vs|versus|rather|relate[sd]?|same)\b/.test(
      plain,
    );
  if (compared && own.length > 0 && (pronoun.test(question) || leadIn.test(question) || words <= 5) && last) {
    const other = own.find(({ concept }) => concept !== last.concept) ?? own[0];
    if (other && !own.some(({ concept }) => concept === last.concept))
      return follow([`${last.written} vs ${other.written}`, `${topic} ${question}`]);
  }
  if (last && second) {
    // Named in one question they stand in its order; else the one named later is the second.
    const [first, other] =
      previous.indexOf(last.written) < previous.indexOf(second.written) && previous.includes(last.written)
        ? [last, second]
        : [second, last];
    const former = /\bthe (?:former|first)(?: one)?\b/i;
    const latter = /\bthe (?:latter|second)(?: one)?\b/i;
    if (former.test(question)) return follow([replaceIn(question, former, first.written)]);
    if (latter.test(question)) return follow([replaceIn(question, latter, other.written)]);
  }

  if (words <= longestFollowUp && pronoun.test(question) && !expletive.test(question)) {
    const replaced = topic === previous ? `${previous} ${question}` : replaceIn(question, pronoun, topic);
    return follow([replaced, `${topic} ${question}`, ...(topic === previous ? [] : [`${previous} ${question}`])]);
  }
  const asksDefinition =
    /^(?:what(?:s| is| are| does)|explain|define|describe|tell me about|how (?:does|do) .* work)\b/.test(plain);
  if (leadIn.test(question) || words <= 2) {
    if (words > longestFollowUp) return fresh();
    const rest = question
      .replace(opening, '')
      .replace(/[?!.\s]+$/, '')
      .trim();
    if (rest === '') return follow([previous], true);
    // "And the rank?" asks for a part of the topic, "and L1?" for its sibling, "and for small data?" for a case of it.
    const isPart = /^(?:the|its|their)\b/i.test(rest);
    const isCase = /^(?:in|for|with|without|on|at|when|if|during|after|before|under|as)\b/i.test(rest);
    const isWhole =
      /^(?:what|how|why|when|which|who|where|is|are|does|do|can|should|could|will|would|explain|define)\b/i.test(rest);
    const sibling = own.length > 0 ? substitute(previous, last, own[0]?.written ?? rest) : undefined;
    if (isWhole) {
      return asksDefinition || own.length > 1 || (own.length === 1 && words > 8)
        ? fresh()
        : follow(own.length > 0 ? [question, `${topic} ${rest}`] : [`${topic} ${rest}`, question]);
    }
    if (isCase)
      return follow([
        ...(sibling && own.length > 0 ? [caseOf(previous, rest)] : []),
        `${previous.replace(/[?!.\s]+$/, '')} ${rest}`,
        `${topic} ${rest}`,
      ]);
    if (isPart) return follow([`${topic} ${rest}`, rest]);
    if (sibling) return follow([sibling, rest, `${topic} ${rest}`]);
    const instead = previous.replace(/\w+\W*$/, rest);
    const isShort = rest.split(/\s+/).length <= 2 && previous.split(/\s+/).length >= 4;
    return follow([...(isShort ? [instead] : []), `${topic} ${rest}`, `${previous} ${rest}`, rest]);
  }
  // "Is more always better?" has no word of its own: it asks of the very thing asked before.
  if (own.length === 0 && plain.split(' ').every((word) => bareWords.has(word)))
    return follow([`${previous.replace(/[?!.\s]+$/, '')} ${question}`, `${topic} ${question}`]);
  // Without a pronoun, but too bare to stand alone: "how many epochs?", "what rank should I take?"
  const asksDetail =
    /^(?:how (?:much|many|long|often|big|large|high|low|do i|should i|can i|to)|which|what \w+ (?:should|do|would|is|are)|when|where|is \d|should i|do i|can i|any|does)\b/.test(
      plain,
    );
  if (words <= 9 && asksDetail && own.length <= 1) {
    const standsAlone = own.length > 0 || /\bmy (?:data|model|images|texts?|labels|classes|features)\b/.test(plain);
    return follow(standsAlone ? [question, `${topic} ${question}`] : [`${topic} ${question}`, question]);
  }
  if (own.length <= 1 && words <= 6 && asksOfPart.test(plain)) return follow([`${topic} ${question}`, question]);
  if (own.length === 0 && words <= 4) return follow([`${topic} ${question}`, question]);
  return fresh();
}

const bareWords = new Set(
  'is are was does do did will would can could should shall why how what when which who and but so or then if not no yes more most less least fewer higher lower bigger larger smaller longer shorter always ever never still also even just really too very much many better best worse worst good bad enough fine ok okay normal true right wrong safe the a an one ones i we you to use need take have set be me my our there any some all both matter matters help helps hurt hurts work works for in of with without than now else other others instead'.split(
    ' ',
  ),
);

/** "Is the mean ok?", "how are the weights updated?" */
const asksOfPart =
  /^(?:is|are) (?:the |an? )?\w+ (?:ok|okay|good|enough|fine|better|one|needed|useful|bad)$|^(?:how|why|when|where) (?:is|are|do|does) the \w+ \w+(?: \w+)?$|^(?:is|are) \w+ (?:one|an example)$/;

function oppositeOf(topic: string): string | undefined {
  const wanted = topic.toLowerCase();
  for (const [a, b] of opposites) {
    if (wanted.includes(b)) return a;
    if (wanted.includes(a)) return b;
  }
  return undefined;
}

/** The question before, asked of another subject. */
function substitute(previous: string, subject: NamedConcept | undefined, other: string): string {
  if (!subject || !previous.includes(subject.written))
    return /^\W*(?:what(?:['’]?s| is| are| does)|explain|define|tell me about)\b/i.test(previous)
      ? `what is ${other}`
      : other;
  return previous.replace(subject.written, other);
}

/** "… for full fine-tuning" + "for LoRA" → "… for LoRA". */
function caseOf(previous: string, rest: string): string {
  const preposition = /^\w+/.exec(rest)?.[0] ?? '';
  const start = previous.toLowerCase().lastIndexOf(` ${preposition.toLowerCase()} `);
  return start > 0 ? `${previous.slice(0, start)} ${rest}` : `${previous.replace(/[?!.\s]+$/, '')} ${rest}`;
}

function replaceIn(text: string, pattern: RegExp, by: string): string {
  return text.replace(pattern, (found) => (/^(?:its|their)$/i.test(found) ? `${by}'s` : by));
}

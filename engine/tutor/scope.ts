// Errands beside the subject: prices, purchases, taxes, which product is best. Their words meet the guide's, their answers are not in it.

const shopping =
  /\b(?:buy|purchase|order online|cheapest place|discount|coupon|which (?:laptop|computer|pc|phone|monitor|graphics card|gpu) (?:should|to|is|do|for)|recommend (?:me )?an? (?:laptop|computer|pc|phone|monitor))\b/i;
const prices =
  /\b(?:how much (?:does|do|is|are|for)|price of|prices? for|what does|what do)\b.{0,40}\b(?:(?:a|an|the|one|new|used) )*(?:[ahvlt]\d{2,3}|rtx ?\d+|gpus?|graphics cards?|laptops?|computers?|subscriptions?|chatgpt plus|macbooks?|servers?)\b.{0,12}\b(?:cost|in (?:euros?|dollars?|usd)|price|to buy)\b|\b(?:price|cost) of (?:an?|the) (?:[ahvlt]\d{2,3}|rtx|gpu|laptop|macbook)|\b(?:[ahvlt]\d{2,3}|rtx ?\d+)\b.{0,20}\bprices?\b/i;
const money =
  /^(?!.*\b(?:fine-?tun|train|lora|run)).*\bhow much\b.*\b(?:in )?(?:euros?|dollars?|pounds?|usd|eur)\b|\b(?:stock|share|bitcoin|token|gas)s?['’]?s? (?:price|forecast)|\b(?:stock|share) price\b|\bprice of (?:one|a|an|the|\d+)\b|\binvest(?:ment|ing)?\b|\b(?:buy|sell) (?:bitcoin|stocks?|shares|crypto)\b/i;
/** Persons, dates and news, which no guide of methods tells. */
const gossip =
  /^\W*who (?:won|wins|painted|wrote|sang|founded|owns|runs|leads|directed|(?:is|was) (?:the )?(?:ceo|president|king|queen|chancellor|founder|boss|prime minister)\b)|\bwhen (?:was|is|will|did) .*\b(?:founded|born|released|deadline|war|battle|arrive|die)\b|\b(?:this|last|next) week\b.*\b(?:news|released?|happen)|\b(?:say|said|happened|news)\b.*\b(?:yesterday|today|this week|last week)\b|\b(?:out yet|released yet|come out yet|coming out|release date|newest model|latest (?:news|version|model))\b|\b(?:weather|horoscope|lottery)\b.*\b(?:today|tomorrow|in|for)\b/i;
const favours =
  /^\W*(?:please |can you |could you )*solve .*=|^\W*(?:please |can you |could you )*(?:tell me a (?:joke|story|bedtime)|sing|translate|order (?:me|a|some)|book me|set an? (?:alarm|timer)|delete (?:all )?my|write (?:me )?(?:a|my|an) (?:poem|song|cover letter|story|essay|email|cv))\b|\b(?:cover letter|green card|divorce)\b/i;
const officialdom =
  /\b(?:file|pay|declare) (?:my |our )?tax(?:es)?\b|\btax return\b|\bvisa application\b|\bsalary\b.*\b(?:negotiate|earn|average)\b/i;

/** Products of the day, and what asks to rank them. */
const product =
  /\b(?:chat ?gpt|gpt-?[45]\w*|openai|claude|anthropic|gemini|bard|copilot|grok|deepseek|mistral|le chat|midjourney|dall-?e|stable diffusion|firefly|notion ai|windsurf|jasper|siri|alexa|cortana|bing|meta ai|character ?ai)\b/gi;
const ranks =
  /\b(?:better|best|worse|smarter|smartest|stronger|cheaper|faster|vs\.?|versus|or|beats?|prefer|compared? (?:to|with)|than|which|winner|overrated|worth (?:it|the money|paying))\b/i;
/** Two products, or one that is judged: "is claude the best model". */
export function ranksProducts(question: string): boolean {
  const named = new Set([...question.matchAll(product)].map(([name]) => name.toLowerCase()));
  return named.size >= 2
    ? ranks.test(question)
    : named.size === 1 && /\b(?:best|better than|worth (?:it|the money|paying)|smarter|overrated)\b/i.test(question);
}

const taught = 'I teach how machine learning works';
const excuses: readonly (readonly [(question: string) => boolean, string])[] = [
  [
    ranksProducts,
    'Which product is ahead changes from month to month, so I don’t rank them. What stays is the method: a fixed set of *your own* tasks, judged without knowing which of the two wrote what.',
  ],
  [
    (question) => shopping.test(question) || prices.test(question),
    'Prices and shops change too fast for my guide, so I leave them out.',
  ],
  [(question) => money.test(question), `I can’t help with money; ${taught}.`],
  [(question) => gossip.test(question), 'My guide is about methods, not about people, dates or the news.'],
  [(question) => favours.test(question), `That is not something I can do; ${taught}.`],
  [(question) => officialdom.test(question), `I can’t help with that; ${taught}.`],
];

/** Why the question is none for a guide of methods, in a sentence; undefined where it may be one. */
export function excuseFor(question: string): string | undefined {
  return excuses.find(([isOne]) => isOne(question))?.[1];
}

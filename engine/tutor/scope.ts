// Errands beside the subject: prices, purchases, taxes. Their words meet the guide's, their answers are not in it.

const shopping =
  /\b(?:buy|purchase|order online|cheapest place|discount|coupon|which (?:laptop|computer|pc|phone|monitor|graphics card|gpu) (?:should|to|is|do|for)|recommend (?:me )?an? (?:laptop|computer|pc|phone|monitor))\b/i;
const prices =
  /\b(?:how much (?:does|do|is|are|for)|price of|prices? for|what does|what do)\b.{0,40}\b(?:(?:a|an|the|one|new|used) )*(?:[ahvlt]\d{2,3}|rtx ?\d+|gpus?|graphics cards?|laptops?|computers?|subscriptions?|chatgpt plus|macbooks?|servers?)\b.{0,12}\b(?:cost|in (?:euros?|dollars?|usd)|price|to buy)\b|\b(?:price|cost) of (?:an?|the) (?:[ahvlt]\d{2,3}|rtx|gpu|laptop|macbook)|\b(?:[ahvlt]\d{2,3}|rtx ?\d+)\b.{0,20}\bprices?\b/i;
const money =
  /^(?!.*\b(?:fine-?tun|train|lora|run)).*\bhow much\b.*\b(?:in )?(?:euros?|dollars?|pounds?|usd|eur)\b|\b(?:stock|share|bitcoin|token|gas)s?['’]?s? (?:price|forecast)|\b(?:stock|share) price\b|\bprice of (?:one|a|an|the|\d+)\b|\binvest(?:ment|ing)?\b|\b(?:buy|sell) (?:bitcoin|stocks?|shares|crypto)\b/i;
/** Persons, dates and news, which no guide of methods tells. */
const gossip =
  /^\W*who (?:won|wins|painted|wrote|sang|founded|owns|runs|leads|directed|(?:is|was) (?:the )?(?:ceo|president|king|queen|chancellor|founder|boss|prime minister)\b)|\bwhen (?:was|is|will|did) .*\b(?:founded|born|released|deadline|war|battle|arrive|die)\b|\b(?:this|last|next) week\b.*\b(?:news|released?|happen)|\b(?:say|said|happened|news)\b.*\b(?:yesterday|today|this week|last week)\b|\b(?:weather|horoscope|lottery)\b.*\b(?:today|tomorrow|in|for)\b/i;
const favours =
  /^\W*(?:please |can you |could you )*(?:tell me a (?:joke|story|bedtime)|sing|translate|order|book me|set an? (?:alarm|timer)|delete (?:all )?my|write (?:me )?(?:a|my|an) (?:poem|song|cover letter|story|essay|email|cv))\b|\b(?:cover letter|green card|divorce)\b/i;
const officialdom =
  /\b(?:file|pay|declare) (?:my |our )?tax(?:es)?\b|\btax return\b|\bvisa application\b|\bsalary\b.*\b(?:negotiate|earn|average)\b/i;

export function isErrand(question: string): boolean {
  return [shopping, prices, money, gossip, favours, officialdom].some((pattern) => pattern.test(question));
}

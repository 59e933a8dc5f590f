// Errands beside the subject: prices, purchases, taxes. Their words meet the guide's, their answers are not in it.

const shopping =
  /\b(?:buy|purchase|order online|cheapest place|discount|coupon|which (?:laptop|computer|pc|phone|monitor|graphics card|gpu) (?:should|to|is|do|for)|recommend (?:me )?an? (?:laptop|computer|pc|phone|monitor))\b/i;
const prices =
  /\b(?:how much (?:does|do|is|are|for)|price of|prices? for|what does|what do)\b.{0,40}\b(?:(?:a|an|the|one|new|used) )*(?:[ahvlt]\d{2,3}|rtx ?\d+|gpus?|graphics cards?|laptops?|computers?|subscriptions?|chatgpt plus|macbooks?|servers?)\b.{0,12}\b(?:cost|in (?:euros?|dollars?|usd)|price|to buy)\b|\b(?:price|cost) of (?:an?|the) (?:[ahvlt]\d{2,3}|rtx|gpu|laptop|macbook)|\b(?:[ahvlt]\d{2,3}|rtx ?\d+)\b.{0,20}\bprices?\b/i;
const officialdom =
  /\b(?:file|pay|declare) (?:my |our )?tax(?:es)?\b|\btax return\b|\bvisa application\b|\bsalary\b.*\b(?:negotiate|earn|average)\b/i;

export function isErrand(question: string): boolean {
  return [shopping, prices, officialdom].some((pattern) => pattern.test(question));
}

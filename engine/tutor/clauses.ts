// Cuts a question into its clauses, in plain lower case, and leaves out those that only ask: what is left is what it takes for granted.

interface Clauses {
  readonly parts: readonly string[];
  /** All of them in one line; empty where there is one only, or where the question as a whole only asks. */
  readonly whole: string;
}

/** Stands between the clauses of a question that is read as a whole. */
const joint = ' | ';
/** "…, so I take", "…, because": where one clause ends and the next begins. */
const joints =
  /(?:\.(?![\da-z])|[;!?\n])+|,\s+|:\s+|\s[-–—]\s|\s+(?=(?:so|because|since|but|while|whereas|although|though|therefore|thus|hence)\s)/;
const opening =
  /^(?:(?:so|but|and|ok|okay|well|hi|hey|then|also|if|hmm+) )*(?:(?:isnt|arent|doesnt|dont|didnt|wasnt|wont|cant|wouldnt) (?!need|have|use|get|require|care|mind|train|matter)|i (?:dont|do not|cant) (?:understand|get|see) |is it not |not sure |no idea )/;
/** Asks what would be, what is wrong, or for a choice: nothing is taken for granted. */
const open =
  /^(?:what (?:if|happens|is|are|means|does .* mean)(?! the (?:point|use|sense))|whats(?! the (?:point|use|sense))|how (?:do|can|could|should|would|to|might) (?:i|we|you|one|people)|how to|(?:how|where) (?:is|are|does|do) .* differ|difference|which (?:one|is (?:better|right))|when (?:do|should|would|can) (?:i|we|you)|is (?:it|this|that) (?:a )?(?:myth|wrong)|best reply|explain|define|tell me|compare|(?:how|what) .*compared (?:to|with))\b|\bdifference between\b|\b(?:vs|versus)\b(?!(?: (?!wh(?:ich|at|en|o)\b|how\b)\S+)* (?:is|are|isnt|arent|means?|needs?|has|have|does|doesnt|should|can|cant|will|must)\b)|^(?:is|are|does|do|should|can|will) .* or /;

export function clausesOf(question: string): Clauses {
  const parts = question
    .split(joints)
    .map(plain)
    .filter((part) => part.includes(' ') && !open.test(part));
  const isWhole = parts.length > 1 && !open.test(plain(question));
  return { parts, whole: isWhole ? parts.join(joint) : '' };
}

function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/['’`]/g, '')
    .replace(/[−–]/g, '-')
    .replace(/(?<!^|\s)-|-(?!\d)|[^a-z0-9%²³=×.-]+|\.(?!\d)/g, ' ')
    .replace(/\./g, ' ')
    .replace(
      /\b(regular|quant|normal|standard|memor|general|optim|token|initial|penal|minim|maxim|random)is(e|es|ed|er|ers|ing|ation|ations)\b/g,
      '$1iz$2',
    )
    .replace(/labell/g, 'label')
    .replace(/neighbour/g, 'neighbor')
    .replace(/colour/g, 'color')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(opening, '');
}

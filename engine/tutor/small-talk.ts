// Greetings, thanks and "who are you" get a warm word, not a search of the guide.

const replies: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:(?:hi|hiya|hello|hey|heya|yo|howdy|greetings|good (?:morning|afternoon|evening|day))(?: (?:there|all|everyone|everybody|bot|tutor|finetutor|team|folks|guys|again))*|how are you(?: doing)?(?: today)?|(?:hi|hello|hey) how are you(?: doing)?(?: today)?)$/,
    'Hello! Ask me anything about machine learning that my guide covers, such as **what is overfitting?**, or type **quiz** to test yourself.',
  ],
  [
    /^(?:(?:ok|okay|great|cool|nice|perfect|awesome) )?(?:(?:many )?thanks|thank you|thank u|thx|ty|tysm|cheers|much appreciated|appreciate it)(?: (?:a lot|so much|very much|a bunch|again|mate|man|bro|bot|for (?:the|your) help|that helped|you))*$/,
    "You're welcome! Ask on whenever something is unclear; a short **quiz** shows how well it stuck.",
  ],
  [
    /^(?:who|what) (?:are|r) (?:you|u)(?: exactly| really)?$|^what can (?:you|u) do(?: for me)?$|^what do you do$|^whats? your name$|^what is your name$|^are you (?:a bot|an ai|human|a human|real|a robot|chatgpt)$|^introduce yourself$/,
    'I am Finetutor. I answer from a guide to machine learning and cite the place, quiz you on it, and fine-tune small text models on your own data. Type **help** to see everything.',
  ],
  [
    /^(?:bye|goodbye|good bye|good night|see you(?: later)?|see ya|cya|later)(?: (?:all|everyone|bot|tutor))*$/,
    'Goodbye, and good luck with your models!',
  ],
  [
    /^(?:ok|okay|cool|great|nice|got it|i see|awesome|perfect|makes sense|good bot|lol|haha)$/,
    'Good! Ask the next question whenever you like.',
  ],
];

/** @returns undefined when the text is more than small talk. */
export function answerSmallTalk(text: string): string | undefined {
  const words = text
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^a-z]+/g, ' ')
    .trim();
  return replies.find(([pattern]) => pattern.test(words))?.[1];
}

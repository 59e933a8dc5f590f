// Questions to a tutor that has a group's documents beside the guide, and who should answer each. In our own words.

/** `both`: the guide may lead, but the group's own rule on it must be pointed to. */
export type Kind = 'document' | 'guide' | 'both' | 'neither';

export const documents: { readonly [name: string]: string } = {
  'lab-handbook': `# Lab handbook

## The cluster

The cluster is called Brunhilde. It has eight nodes with four A100 cards each. Jobs longer than twelve hours need the flag \`--nightowl\`, and a project may hold at most six cards at a time.

Scratch space is wiped on the first Monday of every month. What must stay goes to /vault, where each project has 2 TB.

## Our fine-tuning rules

We fine-tune with LoRA of rank 16 and alpha 32 unless the project lead signs something else. The learning rate is 1e-4 with a warmup of 50 steps. Every run is logged in the board called Pinboard, with the name of the dataset card.

No model leaves the lab before the red team of Ingrid Solberg has tried it for two days.

## Data we may use

Patient letters are kept in the steel room and never copied to Brunhilde. Texts of the partner hospital in Tromsø may be used until the end of 2027. Synthetic letters are made with the template set Kestrel.

## Evaluation

For triage models we report recall at a precision of 0.8, measured on the Tromsø-500 set. A triage model with a recall below 0.93 is not shown to doctors. The baseline is the keyword list of Dr. Amundsen, with a recall of 0.71.

## When something breaks

Call the duty phone 4417. Whoever deletes a checkpoint of somebody else brings cake on Friday.
`,
  'reading-group': `# Reading group

We meet on Thursdays at 16:15 in room Kelvin. Whoever presents sends the paper to the list by Monday evening.

## Plan of this term

Week 1: LoRA, presented by Amara. Week 2: QLoRA, presented by Jonas. Week 3: direct preference optimisation, presented by Mei. Week 4: contamination of benchmarks, presented by Tomasz. Week 5: no meeting.

## Customs

A presentation takes twenty minutes; questions are collected on yellow cards. The presenter ends with one sentence on what would change their mind.

## Our notes on overfitting

In our spring project the reviews classifier overfitted after epoch 2: training loss 0.11, held-out loss 0.64. We stopped at epoch 2 and raised dropout to 0.3, which brought held-out accuracy from 81 to 84 percent.
`,
};

interface MaterialQuestion {
  readonly question: string;
  readonly from: Kind;
  /** Must stand in the answer, in lower case. */
  readonly says?: string;
}

export const questions: readonly MaterialQuestion[] = [
  { question: 'what is our cluster called?', from: 'document', says: 'brunhilde' },
  { question: 'how many cards may a project hold at once?', from: 'document', says: 'six' },
  { question: 'which flag do jobs over twelve hours need', from: 'document', says: 'nightowl' },
  { question: 'when is scratch space wiped?', from: 'document', says: 'monday' },
  { question: 'where do I put files that have to stay?', from: 'document', says: '/vault' },
  { question: 'how much space has a project on the vault', from: 'document', says: '2 tb' },
  { question: 'what is the board called where we log runs', from: 'document', says: 'pinboard' },
  { question: 'who is in charge of the red team?', from: 'document', says: 'solberg' },
  { question: 'how long does the red team try a model before it leaves the lab', from: 'document', says: 'two days' },
  { question: 'may patient letters be copied to Brunhilde?', from: 'document', says: 'never' },
  { question: 'until when may we use the texts from Tromsø', from: 'document', says: '2027' },
  { question: 'which templates make our synthetic letters?', from: 'document', says: 'kestrel' },
  { question: 'what recall must a triage model reach before doctors see it', from: 'document', says: '0.93' },
  { question: 'on which set do we measure triage models?', from: 'document', says: '500' },
  { question: 'what is the recall of the keyword list of Dr. Amundsen', from: 'document', says: '0.71' },
  { question: 'what is the number of the duty phone', from: 'document', says: '4417' },
  { question: 'what happens to whoever deletes a checkpoint of somebody else?', from: 'document', says: 'cake' },
  { question: 'when does the reading group meet?', from: 'document', says: '16:15' },
  { question: 'which room is the reading group in', from: 'document', says: 'kelvin' },
  { question: 'who presents QLoRA in our reading group?', from: 'document', says: 'jonas' },
  { question: 'who presents in week 4', from: 'document', says: 'tomasz' },
  { question: 'how long does a presentation take in the reading group', from: 'document', says: 'twenty' },
  { question: 'what are the yellow cards for?', from: 'document', says: 'questions' },
  { question: 'what does the presenter end with', from: 'document', says: 'mind' },
  { question: 'what held-out loss did our spring project have after epoch 2?', from: 'document', says: '0.64' },
  { question: 'to what did we raise dropout in the spring project', from: 'document', says: '0.3' },
  { question: 'by when must the paper be sent to the list?', from: 'document', says: 'monday' },
  { question: 'what does the lab handbook say about the learning rate', from: 'document', says: '1e' },

  { question: 'which LoRA rank do we use in the lab?', from: 'both', says: '16' },
  { question: 'what learning rate and warmup do our fine-tuning rules ask for', from: 'both', says: '50' },
  { question: 'how do we evaluate triage models', from: 'both', says: '0.8' },
  { question: 'what did our notes on overfitting say about dropout', from: 'both', says: '0.3' },

  { question: 'what is LoRA?', from: 'guide' },
  { question: 'what is overfitting?', from: 'guide' },
  { question: 'why does my model do well in training and badly on new data', from: 'guide' },
  { question: 'how does QLoRA save memory?', from: 'guide' },
  { question: 'what is the difference between precision and recall', from: 'guide' },
  { question: 'what does dropout do?', from: 'guide' },
  { question: 'explain direct preference optimisation', from: 'guide' },
  { question: 'what is contamination of a benchmark?', from: 'guide' },
  { question: 'why warm up the learning rate', from: 'guide' },
  { question: 'how many parameters does LoRA train?', from: 'guide' },
  { question: 'what is a dataset card', from: 'guide' },
  { question: 'how do random forests work?', from: 'guide' },
  { question: 'what is k-fold cross-validation', from: 'guide' },
  { question: 'is synthetic data any good for fine-tuning?', from: 'guide' },
  { question: 'what is a confusion matrix', from: 'guide' },
  { question: 'when should I stop training?', from: 'guide' },
  { question: 'what is a checkpoint', from: 'guide' },
  { question: 'what is an embedding?', from: 'guide' },
  { question: 'how do I choose the batch size', from: 'guide' },
  { question: 'what is data leakage?', from: 'guide' },
  { question: 'gradient boosting vs random forest', from: 'guide' },
  { question: 'what is temperature in text generation', from: 'guide' },
  { question: 'my loss is nan, what now', from: 'guide' },
  { question: 'what is bagging?', from: 'guide' },
  { question: 'what do we mean by overfitting?', from: 'guide' },
  { question: 'why do we need a test set', from: 'guide' },
  { question: 'how do we choose the LoRA rank in general?', from: 'guide' },
  { question: 'why do our models overfit when they have few examples', from: 'guide' },

  { question: 'who won the football match yesterday?', from: 'neither' },
  { question: 'what is the best pizza in Oslo', from: 'neither' },
  { question: 'how do I renew my passport?', from: 'neither' },
  { question: 'what is the capital of Mongolia', from: 'neither' },
  { question: 'write me a poem about the sea', from: 'neither' },
  { question: 'which phone should I buy?', from: 'neither' },
  { question: 'how late does the supermarket close', from: 'neither' },
  { question: 'who is the mayor of Tromsø?', from: 'neither' },
];

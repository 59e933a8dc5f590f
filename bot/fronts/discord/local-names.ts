// Names of the commands in other languages, as Discord shows them to people whose client speaks these; the English name works too.

type Names = { readonly [locale: string]: string };

export const localNames: { readonly [command: string]: Names } = {
  ask: {
    de: 'fragen',
    fr: 'demander',
    'es-ES': 'preguntar',
    'pt-BR': 'perguntar',
    it: 'chiedi',
    nl: 'vraag',
    pl: 'zapytaj',
  },
  explain: {
    de: 'erklären',
    fr: 'expliquer',
    'es-ES': 'explicar',
    'pt-BR': 'explicar',
    it: 'spiega',
    nl: 'uitleg',
    pl: 'wyjaśnij',
  },
  demo: { de: 'demo', fr: 'démo', 'es-ES': 'demo', 'pt-BR': 'demo', it: 'demo', nl: 'demo', pl: 'demo' },
  quiz: { de: 'quiz', fr: 'quiz', 'es-ES': 'cuestionario', 'pt-BR': 'quiz', it: 'quiz', nl: 'quiz', pl: 'quiz' },
  battle: { de: 'duell', fr: 'duel', 'es-ES': 'duelo', 'pt-BR': 'duelo', it: 'duello', nl: 'duel', pl: 'pojedynek' },
  review: {
    de: 'wiederholen',
    fr: 'réviser',
    'es-ES': 'repasar',
    'pt-BR': 'revisar',
    it: 'ripassa',
    nl: 'herhalen',
    pl: 'powtórka',
  },
  progress: {
    de: 'fortschritt',
    fr: 'progrès',
    'es-ES': 'progreso',
    'pt-BR': 'progresso',
    it: 'progressi',
    nl: 'voortgang',
    pl: 'postęp',
  },
  finetune: {
    de: 'feinabstimmen',
    fr: 'affiner',
    'es-ES': 'ajustar',
    'pt-BR': 'ajustar',
    it: 'affina',
    nl: 'finetunen',
    pl: 'dostrój',
  },
  runs: {
    de: 'läufe',
    fr: 'entraînements',
    'es-ES': 'entrenamientos',
    'pt-BR': 'treinos',
    it: 'addestramenti',
    nl: 'trainingen',
    pl: 'treningi',
  },
  try: {
    de: 'probieren',
    fr: 'essayer',
    'es-ES': 'probar',
    'pt-BR': 'testar',
    it: 'prova',
    nl: 'probeer',
    pl: 'wypróbuj',
  },
  help: { de: 'hilfe', fr: 'aide', 'es-ES': 'ayuda', 'pt-BR': 'ajuda', it: 'aiuto', nl: 'hulp', pl: 'pomoc' },
};

export const contextNames: { readonly [name: string]: Names } = {
  'Explain this': {
    de: 'Erklären',
    fr: 'Expliquer',
    'es-ES': 'Explicar esto',
    'pt-BR': 'Explicar isto',
    it: 'Spiega',
    nl: 'Leg uit',
    pl: 'Wyjaśnij to',
  },
  'Quiz me on this': {
    de: 'Quiz dazu',
    fr: 'Quiz sur ceci',
    'es-ES': 'Cuestionario sobre esto',
    'pt-BR': 'Quiz sobre isto',
    it: 'Quiz su questo',
    nl: 'Quiz hierover',
    pl: 'Quiz o tym',
  },
};

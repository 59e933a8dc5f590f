// Words that say nothing about the topic of a question: grammar, politeness, and the usual frames of asking.

export const stopWords: ReadonlySet<string> = new Set(
  `a about eli5 lol lmao wtf btw eg ie thx omg tbh imo tf huh hmm ugh yo dude bro gonna wanna gotta cuz cos coz bc idc absolutely accident accidentally actual awful awfully completely constantly crazy entirely horrible horribly literally matter matters nearly odd roughly somehow strange suddenly totally weird above actually after again all almost already also although always am an and another any anyone anything
  are arent around as ask asked asking at away back basically basic basics be bad badly because been before being below best better between both but by
  bit bring came can cannot cant come comes comparison compare compared confused could couldnt dear did didnt difference
  differences different do does doesnt doing done dont down during each easy either else em enough etc even ever every everyone
  everything example examples exactly explain explained explanation explanations fast few first for from gave gimme gonna gotta get gets
  getting give gives go goes going gonna good got great guess guys had happen happened happening happens hard has hasnt have havent having he hello help
  her here hes hey hi him his hmm how howcome however hows i id idea idk if ill im in instead into intuition intuitive is isnt it its itself ive just keep keeps kind
  kinda know knowing last later least less let lets life like little ll long look looks lot lots made make makes making many mate may
  maybe me mean meaning means meant might mine more most much must my myself near need needed needs never new next nice no none nope nor not
  nothing now of off often oh ok okay old on once one ones only onto or other others otherwise our out over own part people
  percent percentage perhaps picture please pls plz point possible pretty prof put question questions quick quickly quite rather re really relate related relates relationship reason reasons right said same say
  saying says see seeing seem seems seen shall she should shouldnt show shows simply since so some somebody someone something sometimes
  soon sort sorry still stuff such sure take takes talk tell terrible terribly terms than thank thanks that thatll thats the their them themselves
  then there theres these they theyre thing things think this those though through thus til till to today together told
  too took toward towards tried true try trying two u understand understanding until up upon ur us use used useful user uses using usually ve very via
  vs versus wanna wat wut want wanted wants was wasnt way ways we well went were werent what whatever whats whatre when whenever where wheres whether which while who whole
  whom whos whose why whys will wise with within without wont word words work working works would wouldnt wrong wtf y yeah yes yet yo you youd your
  youre yours youve`.split(/\s+/),
);

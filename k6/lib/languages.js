/** Words of made-up books in several languages. Weights are roughly those of a European shop. */

/**
 * @typedef {object} Language
 * @property {string} code ISO 639-1
 * @property {readonly string[]} titles a title is one of these and a number
 * @property {readonly string[]} sentences descriptions are made of these
 * @property {readonly string[]} names of authors
 */

/** @type {Language} */
const ENGLISH = {
  code: 'en',
  titles: ['Silent Harbour', 'Northern Letters', 'Paper Orchard', 'The Hollow Machine', 'Bright River', 'The Second Archive', 'Salt Garden', 'Winter Signal', 'Glass Bridge', 'Distant Hours'],
  sentences: [
    'A family returns to the coast and finds that the town has kept a secret for them.',
    'An engineer inherits an observatory whose clock runs a few seconds ahead.',
    'Two translators argue over one sentence until it changes both their lives.',
    'The history of a road, told by the people who were paid to repair it.',
  ],
  names: ['Agnes Whitlock', 'Tobias Hale', 'Ruth Okafor', 'Daniel Marsh'],
};

/** @type {Language} */
const GERMAN = {
  code: 'de',
  titles: ['Stille Brücke', 'Die Gärten des Nordens', 'Späte Straßen', 'Das gläserne Jahr'],
  sentences: ['Eine Müllerin zählt die Tage, bis das Hochwasser zurückkehrt.', 'Der Sohn eines Uhrmachers hört auf, pünktlich zu sein.'],
  names: ['Jürgen Weiß', 'Käthe Schröder'],
};

/** @type {Language} */
const FRENCH = {
  code: 'fr',
  titles: ['L’été des cartographes', 'La maison à l’envers', 'Où dorment les phares'],
  sentences: ['Une géographe dessine une île que personne n’a jamais trouvée.', 'À Brest, un phare s’éteint chaque nuit à la même heure.'],
  names: ['Hélène Dufrêne', 'François Lemaître'],
};

/** @type {Language} */
const POLISH = {
  code: 'pl',
  titles: ['Żółty pociąg', 'Miasto bez świateł', 'Wyspa na rzece'],
  sentences: ['Maszynista gubi jedną stację i nikt jej nie pamięta.', 'W ostatnim domu przy rzece ktoś zapala światło.'],
  names: ['Łucja Wiśniewska', 'Stanisław Żak'],
};

/** @type {Language} */
const GREEK = {
  code: 'el',
  titles: ['Το λιμάνι της σιωπής', 'Γράμματα από τον βορρά'],
  sentences: ['Ένας ναυτικός γυρίζει σε ένα νησί που δεν τον θυμάται.'],
  names: ['Ελένη Παππά', 'Νίκος Ρήγας'],
};

/** @type {Language} */
const JAPANESE = {
  code: 'ja',
  titles: ['静かな港', '北からの手紙', '硝子の橋'],
  sentences: ['時計職人の娘は、一秒だけ遅れた町に帰ってくる。'],
  names: ['森川 遥', '高橋 誠'],
};

/** Written from right to left. @type {Language} */
const ARABIC = {
  code: 'ar',
  titles: ['ميناء الصمت', 'رسائل من الشمال'],
  sentences: ['تعود عائلة إلى الساحل فتجد أن المدينة تحفظ لها سرا.'],
  names: ['ليلى حداد', 'سامر نجار'],
};

/** @type {ReadonlyArray<readonly [Language, number]>} */
export const LANGUAGES = [[ENGLISH, 60], [GERMAN, 12], [FRENCH, 10], [POLISH, 6], [GREEK, 4], [JAPANESE, 4], [ARABIC, 4]];

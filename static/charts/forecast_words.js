"use strict";
// One day or week of a forecast's chart in words: a small table beside the pointer, a sentence for the keyboard.
Charts.forecastWords = (figure, view) => {
  const { words } = view;
  const { isKnown, toDate } = Charts.forecastData;
  const dates = Charts.dates({
    weekday: "short", day: "numeric", month: "short", year: "numeric",
  });
  const spans = Charts.dates({ day: "numeric", month: "short", year: "numeric" });
  const isChinese = Charts.language.startsWith("zh"); // formatRange would write 2026/10/13 – 2026/10/19
  const fillIn = (template, values) => template.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
  // Lines are drawn at the rate of whole weeks; words tell the units of the days that there are.
  const units = (record, value) => Charts.number(view.step === "week" ? (value * record.count) / 7 : value);
  const range = (record, low, high) => `${units(record, record[low])}–${units(record, record[high])}`;
  const title = (record) => (record.from === record.to ? dates.format(toDate(record.x))
    : isChinese ? [record.from, record.to].map((day) => view.dayMonth.format(toDate(day))).join(" – ")
      : spans.formatRange(toDate(record.from), toDate(record.to)));

  const soldRow = (record) => {
    if (!isKnown(record.sales) || (record.closed && !record.sales)) return [];
    if (view.step === "day" || record.isOver) {
      return [[words.sold, units(record, record.sales)]];
    }
    const days = fillIn(words.sayPace, { known: record.knownDays, days: record.count });
    return [[words.pace, `${units(record, record.sales)} (${days})`]];
  };
  const rows = (record) => {
    const found = [];
    if (isKnown(record.mean)) {
      found.push([words.expected, fillIn(words.units, { value: units(record, record.mean) }), "main"]);
      for (const [group, low, high] of view.bands) {
        if (isKnown(record[low]) && (group !== "b95" || view.shown.b95)) {
          found.push([view.labelOf(group), range(record, low, high)]);
        }
      }
    }
    found.push(...soldRow(record));
    for (const group of ["test", ...view.data.others]) {
      if (isKnown(record[group])) found.push([view.labelOf(group), units(record, record[group])]);
    }
    if (isKnown(record.lastYear)) found.push([view.labelOf("lastYear"), units(record, record.lastYear)]);
    return found;
  };
  const promotion = (record) => (record.event ? `${words.sayPromo}: ${record.event}` : record.promo ? words.sayPromo : "");
  const notes = (record) => [
    promotion(record), record.closed ? words.sayClosed : "", record.isUntested ? words.sayUntested : "",
  ].filter(Boolean);

  const sentence = (record) => {
    const date = title(record);
    const parts = [];
    if (isKnown(record.mean)) {
      parts.push(fillIn(words.sayExpected, {
        date, value: units(record, record.mean), low: units(record, record["q0.1"]), high: units(record, record["q0.9"]),
      }), ...soldRow(record).map((row) => row.join(" ")));
    } else if (isKnown(record.sales)) parts.push(fillIn(words.saySold, { date, value: units(record, record.sales) }));
    else parts.push(fillIn(words.sayNone, { date }));
    if (isKnown(record.lastYear)) parts.push(`${view.labelOf("lastYear")} ${units(record, record.lastYear)}`);
    return [...parts, ...notes(record)].join(" · ");
  };

  // --- the table beside the pointer ---------------------------------------------------------------------
  const make = (tag, text, className) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const tip = make("div", "", "charttip");
  tip.setAttribute("aria-hidden", "true"); // the read-out tells the same
  tip.hidden = true;
  figure.querySelector(".canvas").append(tip);

  const show = (record, chart) => {
    const table = make("table");
    for (const [name, value, className] of rows(record)) {
      const row = table.insertRow();
      row.className = className || "";
      row.append(make("td", name), make("td", value));
    }
    const head = make("p", title(record), "title");
    tip.replaceChildren(head, table, ...notes(record).map((note) => make("p", note)));
    tip.hidden = false;
    const x = chart.scales.x.getPixelForValue(record.x);
    const most = chart.width - tip.offsetWidth;
    const isLeft = x + 16 > most;
    const beside = isLeft ? x - 16 - tip.offsetWidth : x + 16;
    tip.style.left = `${beside >= 0 ? beside : x > chart.width / 2 ? 0 : most}px`; // on a phone: in the other half
    tip.style.top = `${chart.chartArea.top + 8}px`;
  };
  const hide = () => { tip.hidden = true; };
  return { sentence, show, hide, remove: () => tip.remove() };
};

"use strict";
// The days of a forecast's chart and their weeks: records that lines, ranges, tooltip and read-out share.
// Days are counted since 1970 in UTC: no time zone, no date adapter.
Charts.forecastData = (() => {
  const DAY = 86400000;
  const WEEK = 7;
  const YEAR = 364; // days: the same weekday last year
  const MIN_KNOWN = 4; // days of a week with a record, below which the week has none
  const MAX_GAP = 7; // days without a record across which a line is drawn
  const ENDS = ["q0.025", "q0.1", "q0.25", "q0.75", "q0.9", "q0.975"];

  const toDay = (iso) => Math.round(Date.parse(`${iso}T00:00:00Z`) / DAY);
  const toDate = (day) => new Date(day * DAY);
  const isKnown = (value) => value !== null && value !== undefined;
  const sum = (list, key) => list.reduce((total, record) => total + (record[key] || 0), 0);

  const readDays = (data, origin, tested) => {
    const found = new Map();
    const put = (iso, values) => {
      const x = toDay(iso);
      found.set(x, { ...found.get(x), ...values, x, from: x, to: x, count: 1 });
    };
    for (const row of data.history) put(row.date, row);
    for (const row of data.forecast) put(row.date, { ...row, ahead: true });
    for (const row of data.sold || []) put(row.date, { sales: row.sales });
    for (const row of data.test) put(row.date, { test: row.mean });
    (data.compare || []).forEach((other, index) => {
      for (const row of other.days) put(row.date, { [`other${index + 1}`]: row.mean });
    });
    for (const event of data.events || []) {
      for (let x = toDay(event.first); x <= toDay(event.last); x += 1) if (found.has(x)) found.get(x).event = event.name;
    }
    const days = [...found.values()].sort((a, b) => a.x - b.x);
    for (const record of days) {
      record.lastYear = found.get(record.x - YEAR)?.sales;
      record.isUntested = Boolean(tested) && record.x > origin + tested;
    }
    return days;
  };

  // Blocks of seven days before and after the last known day, so that no week is half known and half ahead.
  const cutWeeks = (days, origin) => {
    const blocks = new Map();
    for (const record of days) {
      const from = origin + 1 + WEEK * Math.floor((record.x - origin - 1) / WEEK);
      blocks.set(from, [...(blocks.get(from) || []), record]);
    }
    const weeks = [...blocks.values()];
    const last = weeks[weeks.length - 1];
    if (weeks.length > 1 && last.length < MIN_KNOWN && weeks[weeks.length - 2][0].ahead) { // too short to stand alone
      weeks.pop();
      weeks[weeks.length - 1].push(...last);
    }
    return weeks;
  };

  // What seven days at the rate of the known ones make; a closed day is a known one without units.
  const weekly = (list, key) => {
    const known = list.filter((record) => isKnown(record[key]) || record.closed);
    return known.length >= MIN_KNOWN && known.some((record) => isKnown(record[key]))
      ? (sum(known, key) / known.length) * WEEK : null;
  };

  // The sales of a week that is not over, at the pace of the days so far against what they were expected to sell.
  const isOver = (list) => !list[0].ahead || list.every((record) => isKnown(record.sales) || record.closed);
  const paced = (list) => {
    if (isOver(list)) return weekly(list, "sales");
    const known = list.filter((record) => isKnown(record.sales));
    const expected = sum(known, "mean");
    return expected > 0 ? ((sum(known, "sales") / expected) * sum(list, "mean") * WEEK) / list.length : null;
  };

  const toWeek = (list, origin, ranges, others) => {
    const [from, to] = [list[0].x, list[list.length - 1].x];
    const record = {
      x: from + (Math.min(list.length, WEEK) - 1) / 2, from, to, count: list.length,
      ahead: list[0].ahead, isUntested: list[0].isUntested,
      closed: list.every((day) => day.closed), promo: list.some((day) => day.promo),
      event: [...new Set(list.map((day) => day.event).filter(Boolean))].join(", "),
      sales: paced(list), isOver: isOver(list), knownDays: list.findLastIndex((day) => isKnown(day.sales)) + 1,
    };
    for (const key of ["test", "lastYear", ...others]) record[key] = weekly(list, key);
    if (!record.ahead) return record;
    record.mean = (sum(list, "mean") / list.length) * WEEK;
    const range = ranges.get(from);
    const own = sum(list.slice(0, WEEK), "mean");
    for (const end of ENDS) { // without a range of the week the days are taken to err together
      record[end] = range && own > 0 ? (range[end] / own) * record.mean : (sum(list, end) / list.length) * WEEK;
    }
    return record;
  };

  // Neighbouring days with the same mark: [from, to, name].
  const spans = (days, nameOf) => {
    const found = [];
    for (const record of days) {
      const name = nameOf(record);
      if (name === null) continue;
      const tail = found[found.length - 1];
      if (tail && tail[1] === record.x - 1 && tail[2] === name) tail[1] = record.x;
      else found.push([record.x, record.x, name]);
    }
    return found;
  };

  const read = (data) => {
    const origin = toDay(data.origin);
    const days = readDays(data, origin, data.tested);
    const others = (data.compare || []).map((_other, index) => `other${index + 1}`);
    const ranges = new Map((data.weeks || []).map((row) => [toDay(row.date), row]));
    return {
      origin, others, days,
      today: data.today ? toDay(data.today) : null,
      first: days[0].x,
      last: days[days.length - 1].x,
      steps: { day: days, week: cutWeeks(days, origin).map((list) => toWeek(list, origin, ranges, others)) },
      promotions: spans(days, (record) => (record.event ? record.event : record.promo ? "" : null)),
      closed: days.filter((record) => record.closed).map((record) => record.x),
    };
  };

  // The points of a line. A closed day is no zero of the line; a long gap breaks it.
  const points = (records, key, keep = () => true) => {
    const found = [];
    for (const record of records) {
      const y = record[key];
      if (!isKnown(y) || (record.closed && !y) || !keep(record)) continue;
      const before = found[found.length - 1];
      if (before && record.x - before.x > MAX_GAP + record.count) found.push({ x: before.x + 1, y: NaN });
      found.push({ x: record.x, y });
    }
    return found;
  };

  return { read, points, isKnown, toDate };
})();

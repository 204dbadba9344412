"use strict";
// A forecast chart as a picture for letters and slides: always light and with the whole forecast, its title
// and the lines shown above it, and where it comes from below.
{
  const WIDTH = 1400, HEIGHT = 700, HEAD = 110, FOOT = 44; // pixels; the head holds title and legend
  const TONES = { sales: "sales", test: "test", forecast: "accent", other1: "other1", other2: "other2", lastYear: "soft" };

  const drawHead = (pen, { figure, alphas, labelOf }) => {
    pen.fillStyle = Charts.colour("text");
    pen.font = `700 26px ${Chart.defaults.font.family}`;
    pen.fillText(figure.dataset.title, 24, 44, WIDTH - 48);
    pen.font = `18px ${Chart.defaults.font.family}`;
    let x = 24;
    figure.querySelectorAll("[data-series]:checked").forEach((box) => {
      if (box.closest("label").hidden) return;
      const name = box.dataset.series;
      const text = labelOf(name);
      const band = name in alphas;
      pen.fillStyle = band ? Charts.faded(Charts.colour("accent"), alphas[name] * 2) : Charts.colour(TONES[name] || name);
      pen.fillRect(x, 72, 26, 14);
      pen.fillStyle = Charts.colour("text");
      pen.fillText(text, x + 34, 86);
      x += 34 + pen.measureText(text).width + 28;
    });
  };

  const drawFoot = (pen, { figure }) => {
    pen.fillStyle = Charts.colour("soft");
    pen.font = `18px ${Chart.defaults.font.family}`;
    const note = figure.querySelector(".untested")?.textContent.trim().replace(/\s+/g, " ");
    const text = [figure.dataset.footer.trim(), note].filter(Boolean).join(" · ");
    pen.fillText(text, 24, HEAD + HEIGHT + 24, WIDTH - 48);
  };

  // Draws the chart large and light onto a canvas of its own, then puts it back as it was.
  const drawPicture = (chart, parts) => {
    const picture = document.createElement("canvas");
    Object.assign(picture, { width: WIDTH, height: HEIGHT + HEAD + FOOT });
    const pen = picture.getContext("2d");
    const size = [chart.width, chart.height];
    const ratio = chart.currentDevicePixelRatio;
    const showDays = (range) => Object.assign(chart.options.scales.x, range); // an update makes new options
    const { min, max } = chart.options.scales.x;
    Charts.light(() => {
      parts.paint();
      showDays({ min: Math.min(min, parts.whole.from), max: parts.whole.to });
      chart.options.devicePixelRatio = 1;
      chart.resize(WIDTH - 40, HEIGHT - 20);
      parts.update();
      pen.fillStyle = Charts.colour("card");
      pen.fillRect(0, 0, picture.width, picture.height);
      pen.drawImage(chart.canvas, 20, HEAD);
      drawHead(pen, parts);
      drawFoot(pen, parts);
    });
    parts.paint();
    showDays({ min, max });
    chart.options.devicePixelRatio = ratio;
    chart.resize(...size);
    parts.update();
    return picture;
  };

  // `parts`: the figure, the opacity of each band by name, functions from a series to its label, to paint and to
  // update the chart, and the days that a picture holds at least.
  Charts.savePicture = (chart, parts, name) => {
    drawPicture(chart, parts).toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }, "image/png");
  };
}

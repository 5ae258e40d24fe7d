// The page of a sweep in headless Chromium: `node report.mjs PAGE CHROMIUM SCREENSHOT`. Fails with what is wrong.
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [, , file, executablePath, screenshot] = process.argv;
const address = pathToFileURL(file).href;
// Chromium has no sandbox for root
const args = process.getuid() === 0 ? ["--no-sandbox"] : [];
const browser = await chromium.launch({ executablePath, args });

const open = async (options) => {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => request.url() !== address && !request.url().startsWith("data:") && complaints.push(`asks for ${request.url()}`));
  await page.goto(address);
  return { page, complaints };
};
const rows = (page) => page.locator("#points tbody tr");
const column = (page, place) => page.locator(`#points tbody tr td:nth-child(${place})`).allTextContents();
// how much is drawn: an empty canvas makes a PNG of a few hundred bytes
const drawn = (page, id) => page.locator(id).evaluate((canvas) => canvas.toDataURL().length);

try {
  const { page, complaints } = await open({ viewport: { width: 1280, height: 900 } });
  const data = JSON.parse(await page.locator("#data").textContent());
  const all = data.groups.length;
  assert.equal(await rows(page).count(), all, "a row a point");
  assert.ok((await drawn(page, "#scatter")) > 8000, "the scatter is drawn");
  assert.equal(await page.title(), `${data.name} · tandem sweep`);
  if (data.left_out.length > 0) assert.match(await page.locator("#others").textContent(), new RegExp(`${data.left_out.length} left out`));
  assert.equal(await page.locator("#network-title").textContent(), data.network);

  // sort: by accuracy or what stands for it, both ways, and by an axis
  const first_figure = data.trained ? "accuracy" : "against0";
  const figure = data.axes.length + 1;
  // 12.35 M -> 12350000
  const size = (text) => parseFloat(text) * ({ k: 1e3, M: 1e6, G: 1e9 }[text.match(/ ([kMG])/)?.[1]] ?? 1);
  const numbers = async (place) => (await column(page, place)).map(size);
  await page.click(`[data-sort="${first_figure}"]`);
  const upwards = await numbers(figure);
  assert.deepEqual(upwards, [...upwards].sort((a, b) => a - b));
  assert.ok(upwards[0] < upwards.at(-1));
  await page.click(`[data-sort="${first_figure}"]`);
  assert.deepEqual(await numbers(figure), [...upwards].sort((a, b) => b - a));
  assert.equal(await page.locator('th[aria-sort="descending"]').count(), 1);
  await page.click('[data-sort="axis0"]');
  const first = await column(page, 1);
  assert.deepEqual(first, [...first].sort((a, b) => parseFloat(a) - parseFloat(b)));

  // filter: by a level, by words, by nothing that is there
  const level = data.groups[0].levels[0];
  await page.selectOption(`[data-axis="${data.axes[0]}"]`, level);
  const some = data.groups.filter((group) => group.levels[0] === level).length;
  assert.ok(some < all);
  assert.equal(await rows(page).count(), some);
  assert.ok((await column(page, 1)).every((text) => text === level));
  await page.selectOption(`[data-axis="${data.axes[0]}"]`, "");
  await page.fill("#search", data.groups[1].ids[0].toUpperCase());
  assert.equal(await rows(page).count(), 1, "by its name, whatever the case");
  await page.fill("#search", "no such point");
  assert.equal(await rows(page).count(), 0);
  await page.fill("#search", "");
  assert.equal(await rows(page).count(), all);

  // a row, then a dot: the point's TOML and its products
  const place = Number(await rows(page).first().getAttribute("data-place"));
  await rows(page).first().click();
  assert.equal(await page.locator("#network").textContent(), data.groups[place].network);
  assert.equal(await page.locator("#accelerator").textContent(), data.accelerators[data.groups[place].accelerator]);
  assert.ok((await drawn(page, "#bars")) > 8000, "bars are drawn");
  assert.equal(await page.locator("tr.chosen").getAttribute("data-place"), String(place));
  // the dot that is farthest from all others
  const [x, y, dot] = await page.evaluate(() => {
    const chart = Chart.getChart("scatter");
    const dots = chart.data.datasets.filter((set) => !["front", "chosen"].includes(set.label)).flatMap((set) => {
      const { data } = chart.getDatasetMeta(chart.data.datasets.indexOf(set));
      return data.map((point, i) => [point.x, point.y, set.data[i].place]);
    });
    const alone = ([x, y, place]) => Math.min(...dots.filter((d) => d[2] !== place).map((d) => Math.hypot(d[0] - x, d[1] - y)));
    return dots.sort((a, b) => alone(b) - alone(a))[0];
  });
  assert.notEqual(dot, place);
  await page.locator("#scatter").click({ position: { x, y } });
  // the library hands clicks on with the next frame
  await page.locator("#point-figures", { hasText: data.groups[dot].ids[0] }).waitFor({ timeout: 5000 });
  const title = (axis) => page.evaluate((axis) => Chart.getChart("scatter").options.scales[axis].title.text, axis);
  await page.selectOption("#cost", "2");
  assert.equal(await title("x"), data.costs[2]);
  await page.uncheck("#log");
  assert.ok((await drawn(page, "#scatter")) > 8000, "another cost, linear");
  // against something else, if there is something: the front and its marks are those of that
  const marks = async () => (await page.locator("#points td.front").count());
  const several = data.against.length > 1;
  assert.equal(await page.locator("#against").isVisible(), several);
  for (let against = 0; against < data.against.length; against++) {
    if (several) await page.selectOption("#against", String(against));
    assert.equal(await title("y"), data.trained ? "test accuracy in %" : data.against[against]);
    assert.equal(await marks(), data.fronts[against].reduce((sum, places) => sum + places.length, 0));
  }
  assert.equal(await page.locator('[data-sort="mhz_from"]').count(), data.groups.some((group) => group.mhz) ? 1 : 0);

  // heat map: as many cells as levels, the best of all among them
  const levels = (axis) => new Set(data.groups.map((group) => group.levels[axis])).size;
  const [down, across] = [await page.inputValue("#heat-down"), await page.inputValue("#heat-across")].map(Number);
  assert.equal(await page.locator("#heat td").count(), levels(down) * levels(across));
  const figures = data.groups.map((group) => (data.trained ? group.against[0] : group.costs[0]));
  const best = data.trained ? 100 * Math.max(...figures) : Math.min(...figures);
  const cells = (await page.locator("#heat td").allTextContents()).filter((text) => text !== "").map(size);
  // as exact as it is written
  assert.ok(cells.some((cell) => Math.abs(cell - best) <= Math.max(0.005, best / 5000)), `${best} among ${cells}`);
  assert.deepEqual(complaints, []);
  await page.screenshot({ path: screenshot, fullPage: true });

  // a phone, in the dark
  const phone = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: "dark" });
  const wide = await phone.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 0, `the page is ${wide} pixels wider than a phone`);
  const ground = await phone.page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
  assert.ok(Math.max(...ground) < 64, `a dark ground: ${ground}`);
  await rows(phone.page).last().tap();
  assert.ok((await phone.page.locator("#network").textContent()).length > 0);
  assert.deepEqual(phone.complaints, []);
} finally {
  await browser.close();
}

// Runs inside.py in Pyodide: the Python and the NumPy of the browser, under node.
//   node run.mjs <repository> <folder of pure Python packages> <NumPy's wheel> [arguments of pytest]
import { loadPyodide } from "pyodide";

const [repository, packages, wheel, ...chosen] = process.argv.slice(2);
const python = await loadPyodide({
  args: ["-B"], // the repository is mounted: leave no bytecode in it
  env: { HOME: "/home/pyodide", CI: process.env.CI ?? "", HYPOTHESIS_STORAGE_DIRECTORY: "/tmp/hypothesis" },
});
await python.loadPackage(wheel, { checkIntegrity: false, messageCallback: () => {} }); // run.py compared its sha256
for (const [folder, place] of [[repository, "/repository"], [packages, "/packages"]]) {
  python.FS.mkdirTree(place);
  python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, place);
}
python.runPython("import sys; sys.path.insert(0, '/repository/tests/browser_python')");
try {
  const main = python.runPython("import inside; inside.main");
  process.exitCode = main("/repository", "/packages", python.toPy(chosen));
} catch (error) {
  console.error(error.message ?? error); // a traceback; node itself would print a megabyte of its loader
  process.exitCode = 1;
}

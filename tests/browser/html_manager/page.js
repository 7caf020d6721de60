// A page with a kernel and ipywidgets' HTML manager, and nothing of JupyterLab's application: what
// an editor such as VS Code has when it shows a widget.
import * as base from "@jupyter-widgets/base";
import { HTMLManager } from "@jupyter-widgets/html-manager";
import { KernelManager, ServerConnection } from "@jupyterlab/services";

const VIEW = "application/vnd.jupyter.widget-view+json";
const { Comm } = base.shims.services;

class Manager extends HTMLManager {
  constructor(kernel, anywidget) {
    super({ loader: async (name) => (name === "anywidget" ? anywidget : undefined) });
    this.kernel = kernel;
    kernel.registerCommTarget(this.comm_target_name, (comm, message) =>
      this.handle_comm_open(new Comm(comm), message),
    );
  }

  async _create_comm(target, id, data, metadata, buffers) {
    const comm = this.kernel.createComm(target, id);
    if (data || metadata) comm.open(data, metadata, buffers);
    return new Comm(comm);
  }

  async _get_comm_info() {
    const reply = await this.kernel.requestCommInfo({ target_name: this.comm_target_name });
    return reply.content.comms ?? {};
  }
}

// anywidget's classic module, as it lies in the environment, asks for ipywidgets' base by name.
function evaluateModule(source) {
  let made;
  const define = (names, make) => {
    made = make(...names.map((name) => ({ "@jupyter-widgets/base": base })[name]));
  };
  new Function("define", source)(define);
  return made;
}

/** Runs code in a kernel and shows the widgets it displays in the page. */
window.runAndShow = async (baseUrl, token, kernelId, anywidgetSource, code) => {
  const wsUrl = baseUrl.replace(/^http/, "ws");
  const serverSettings = ServerConnection.makeSettings({ baseUrl, wsUrl, token });
  const kernels = new KernelManager({ serverSettings });
  await kernels.ready;
  const kernel = kernels.connectTo({ model: { id: kernelId, name: "python3" } });
  const manager = new Manager(kernel, evaluateModule(anywidgetSource));
  const running = kernel.requestExecute({ code });
  running.onIOPub = async (message) => {
    const shown = message.content.data?.[VIEW];
    if (!shown) return;
    const view = manager.create_view(await manager.get_model(shown.model_id));
    // An output as wide as an editor column.
    const output = document.body.appendChild(document.createElement("div"));
    output.style.width = "700px";
    await manager.display_view(view, output);
  };
  const reply = await running.done;
  return reply.content.status === "ok" ? "ok" : `${reply.content.ename}: ${reply.content.evalue}`;
};

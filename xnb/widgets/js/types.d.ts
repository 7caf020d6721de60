declare module "*.svg" {
  const text: string;
  export default text;
}

/** The part of a widget model we use; anywidget's proxy and ipywidgets' own model both have it. */
interface Model {
  get(name: string): any;
  send(content: object, callbacks?: object, buffers?: ArrayBuffer[]): void;
  on(name: string, callback: (...args: any[]) => void): void;
  off(name?: string | null, callback?: ((...args: any[]) => void) | null): void;
  widget_manager: {
    get_model(id: string): Promise<any>;
    create_view(model: any): Promise<any>;
    kernel?: { status?: string } | null;
  };
  comm_live?: boolean;
}

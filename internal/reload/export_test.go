package reload

// WithoutEvents has w look at the files alone, as in a folder whose file system tells of no change.
func (w *Watcher) WithoutEvents() { w.quiet = true }

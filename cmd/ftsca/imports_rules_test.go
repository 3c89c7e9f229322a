package main_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// anything in a line of the table allows every import of ours, what is for tests excepted.
const anything = "*"

// house is the import table and the rules that go with it. Packages of ours are named without the module's path.
type house struct {
	module         string
	mayImport      map[string][]string
	forTests       []string // imported by test files only, and by those that name them in mayImport
	offline        []string // must not reach what is in online, nor dial, listen or look up
	online         []string
	public         []string // exported names must not mention a type of an internal package
	screenModules  []string // imported only at or below screenPackages
	screenPackages []string
	shared         []string // modules, or beginnings of their paths, that several packages may import
}

// judge returns one sentence for each fault, sorted.
func (h house) judge(units []unit) []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	byPath := map[string]unit{}
	importers := map[string][]string{}
	for _, u := range units {
		byPath[u.path] = u
	}
	for _, u := range units {
		if u.module != h.module || len(u.source) == 0 {
			continue
		}
		h.judgeImports(u, byPath, importers, fault)
		h.judgeSource(u, fault)
	}
	for module, by := range importers {
		if len(by) > 1 {
			slices.Sort(by)
			fault("module %s is imported by %s: one package of ours may", module, strings.Join(by, " and "))
		}
	}
	for _, name := range h.offline {
		h.judgeReach(name, byPath, fault)
	}
	slices.Sort(faults)
	return slices.Compact(faults)
}

func (h house) judgeImports(u unit, byPath map[string]unit, importers map[string][]string, fault func(string, ...any)) {
	name := h.short(u.path)
	allowed, listed := h.mayImport[name]
	if !listed {
		fault("package %s is not in the import table", name)
	}
	for element := range strings.SplitSeq(name, "/") {
		switch strings.TrimSuffix(element, "s") {
		case "util", "helper", "common", "core":
			fault("package %s is named for nothing in particular (%s)", name, element)
		}
	}
	modules := map[string]bool{}
	for _, path := range u.imports {
		switch to := byPath[path]; {
		case strings.HasPrefix(path, h.module+"/"):
			of := h.short(path)
			anyOfOurs := slices.Contains(allowed, anything) && !slices.Contains(h.forTests, of)
			if !anyOfOurs && !slices.Contains(allowed, of) {
				fault("package %s imports %s, which the import table does not allow", name, of)
			}
		case to.module != "":
			modules[to.module] = true
		}
	}
	for module := range modules {
		// A package for tests is a second opinion: it reads by itself what the product writes.
		if !slices.Contains(h.forTests, name) && !slices.ContainsFunc(h.shared, func(prefix string) bool { return strings.HasPrefix(module, prefix) }) {
			importers[module] = append(importers[module], name)
		}
		if slices.Contains(h.screenModules, module) && !slices.ContainsFunc(h.screenPackages, func(at string) bool {
			return name == at || strings.HasPrefix(name, at+"/")
		}) {
			fault("package %s imports %s, which is for %s", name, module, strings.Join(h.screenPackages, ", "))
		}
	}
}

// judgeReach follows the imports of one package to their end.
func (h house) judgeReach(name string, byPath map[string]unit, fault func(string, ...any)) {
	start, ok := byPath[h.module+"/"+name]
	if !ok {
		return
	}
	from := map[string]string{start.path: ""} // each package reached, and from where first
	way := func(path string) string {
		steps := []string{path}
		for at := from[path]; at != ""; at = from[at] {
			steps = append(steps, at)
		}
		slices.Reverse(steps)
		return strings.Join(steps[1:], " → ")
	}
	for queue := []unit{start}; len(queue) > 0; queue = queue[1:] {
		u := queue[0]
		if slices.Contains(h.online, u.path) {
			fault("package %s must do without a network, but reaches %s", name, way(u.path))
		}
		for _, use := range h.socketUses(u) {
			if u.path == start.path {
				fault("package %s must do without a network, but uses %s", name, use)
			} else {
				fault("package %s must do without a network, but reaches %s, which uses %s", name, way(u.path), use)
			}
		}
		for _, path := range u.imports {
			if next, ok := byPath[path]; ok && !has(from, path) {
				from[path] = u.path
				queue = append(queue, next)
			}
		}
	}
}

// socketUses finds uses of package net that open a socket or ask a name server, in code that is not the standard
// library's: crypto/x509 imports net for its address types alone, so the import says nothing.
func (h house) socketUses(u unit) []string {
	if !slices.Contains(u.imports, "net") {
		return nil
	}
	var uses []string
	for name, file := range parse(u) {
		each(file, file, func(path, selected string) {
			if path != "net" {
				return
			}
			for _, prefix := range []string{"Dial", "Listen", "Lookup", "Resolve", "DefaultResolver"} {
				if strings.HasPrefix(selected, prefix) {
					uses = append(uses, fmt.Sprintf("net.%s in %s", selected, name))
					return
				}
			}
		})
	}
	slices.Sort(uses)
	return slices.Compact(uses)
}

func (h house) judgeSource(u unit, fault func(string, ...any)) {
	name := h.short(u.path)
	documented := false
	for at, file := range parse(u) {
		documented = documented || file.Doc.Text() != ""
		if ast.IsGenerated(file) {
			continue
		}
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				fault("package %s has an init function, in %s", name, at)
			}
			if g, ok := decl.(*ast.GenDecl); ok && g.Tok == token.VAR {
				each(file, g, func(path, selected string) {
					switch path {
					case "flag", "github.com/spf13/pflag", "github.com/spf13/cobra":
						fault("package %s has a package-level variable made with %s.%s, in %s", name, path, selected, at)
					}
				})
			}
			if slices.Contains(h.public, name) {
				h.judgeExported(name, at, file, decl, fault)
			}
		}
	}
	if !documented {
		fault("package %s has no package comment", name)
	}
}

// judgeExported looks for types of internal packages in what a declaration shows to others.
func (h house) judgeExported(name, at string, file *ast.File, decl ast.Decl, fault func(string, ...any)) {
	for _, shown := range exported(decl) {
		each(file, shown, func(path, selected string) {
			if strings.HasPrefix(path, h.module+"/internal/") {
				fault("package %s shows the internal type %s.%s to others, in %s", name, h.short(path), selected, at)
			}
		})
	}
}

// exported is what other packages see of a declaration: types, signatures and exported fields.
func exported(decl ast.Decl) []ast.Node {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && (d.Recv == nil || receiverExported(d.Recv)) {
			return []ast.Node{d.Type}
		}
	case *ast.GenDecl:
		var nodes []ast.Node
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() {
					nodes = append(nodes, visibleParts(s.Type)...)
				}
			case *ast.ValueSpec:
				if s.Type != nil && slices.ContainsFunc(s.Names, (*ast.Ident).IsExported) {
					nodes = append(nodes, s.Type)
				}
			}
		}
		return nodes
	}
	return nil
}

// visibleParts leaves out what a struct or an interface hides.
func visibleParts(t ast.Expr) []ast.Node {
	var fields *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		fields = t.Fields
	case *ast.InterfaceType:
		fields = t.Methods
	default:
		return []ast.Node{t}
	}
	var nodes []ast.Node
	for _, f := range fields.List {
		if len(f.Names) == 0 || slices.ContainsFunc(f.Names, (*ast.Ident).IsExported) {
			nodes = append(nodes, f.Type)
		}
	}
	return nodes
}

func receiverExported(recv *ast.FieldList) bool {
	exported := false
	ast.Inspect(recv.List[0].Type, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.IsExported() {
			exported = true
		}
		return true
	})
	return exported
}

// each calls f for every selection from an imported package inside node: path "net", selected "Dial".
func each(file *ast.File, node ast.Node, f func(path, selected string)) {
	paths := map[string]string{}
	for _, spec := range file.Imports {
		path, _ := strconv.Unquote(spec.Path.Value)
		// The last element is the name for all that is looked for here.
		local := path[strings.LastIndex(path, "/")+1:]
		if spec.Name != nil {
			local = spec.Name.Name
		}
		paths[local] = path
	}
	ast.Inspect(node, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && paths[id.Name] != "" {
				f(paths[id.Name], s.Sel.Name)
			}
		}
		return true
	})
}

// parse reads the files of a package; go list has seen that they are Go, and the compiler will see what is not.
func parse(u unit) map[string]*ast.File {
	files := map[string]*ast.File{}
	for _, name := range slices.Sorted(maps.Keys(u.source)) {
		file, err := parser.ParseFile(token.NewFileSet(), name, u.source[name], parser.ParseComments|parser.SkipObjectResolution)
		if err == nil {
			files[name] = file
		}
	}
	return files
}

func (h house) short(path string) string { return strings.TrimPrefix(path, h.module+"/") }

func has[K comparable, V any](m map[K]V, k K) bool {
	_, ok := m[k]
	return ok
}

package endpoint

import "container/list"

// room is a number of items and the bytes they take.
type room struct{ count, bytes int }

func (r *room) add(bytes int)       { r.count++; r.bytes += bytes }
func (r *room) sub(bytes int)       { r.count--; r.bytes -= bytes }
func (r room) within(max room) bool { return r.count <= max.count && r.bytes <= max.bytes }

// A shelf is items in the order in which they were said, the oldest first.
type shelf struct {
	order list.List
	used  room
	all   *room // what this shelf and others of its kind take together
}

// put has n, which takes so many bytes from now on, be the newest here, wherever it was before.
func (s *shelf) put(n *item, size int) {
	if n.shelf == s {
		s.used.sub(n.size)
		s.all.sub(n.size)
		s.order.MoveToBack(n.place)
	} else {
		if n.shelf != nil {
			n.shelf.take(n)
		}
		n.shelf, n.place = s, s.order.PushBack(n)
	}
	n.size = size
	s.used.add(size)
	s.all.add(size)
}

func (s *shelf) take(n *item) {
	s.order.Remove(n.place)
	s.used.sub(n.size)
	s.all.sub(n.size)
	n.shelf, n.place = nil, nil
}

func (s *shelf) empty() bool { return s.order.Len() == 0 }

func (s *shelf) oldest() *item { return s.order.Front().Value.(*item) }

// of calls f with all that m said last. f may remove it.
func (s *shelf) of(m member, f func(*item)) {
	for e := s.order.Front(); e != nil; {
		n := e.Value.(*item)
		e = e.Next()
		if n.member == m {
			f(n)
		}
	}
}

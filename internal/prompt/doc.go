// Package prompt asks the person at the terminal: for words, for yes or no, and for secrets.
//
// Start with Open, which finds the controlling terminal of the process whatever standard input and output are, so that
// results can be piped while questions are asked. Where it fails nobody is there to answer, and Refusing takes its
// place: it turns each question into an error that names the flag to give instead. Both have the same four methods;
// whoever asks declares the interface it needs.
//
// Words and yes or no are asked through survey, secrets through x/term without echo.
package prompt

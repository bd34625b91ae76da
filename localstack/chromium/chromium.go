// Package chromium starts the browser that looks at pages as people do.
package chromium

import (
	"context"
	"os"

	"github.com/chromedp/chromedp"
)

// Open starts a headless Chromium, which ends with ctx or when the function
// that it returns is called. The context is that of its first tab. A browser
// that is missing is an error of the first action there.
func Open(ctx context.Context) (tab context.Context, closeBrowser func()) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.DisableGPU)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which root cannot have
	}
	allocator, end := chromedp.NewExecAllocator(ctx, options...)
	tab, closeTab := chromedp.NewContext(allocator)
	return tab, func() { closeTab(); end() }
}

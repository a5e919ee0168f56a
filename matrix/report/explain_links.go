package report

import (
	"refmatrix/matrix"
)

// explainLinks lists what is attached, where it was found, what is required and what was lost.
func explainLinks(p *lines, row *matrix.Row) {
	if links := row.Links; links != nil {
		section(p, "Links")
		p.wrapped("  ", linkTotals(row))
		p.wrapped("  read to the end: ", placesText(links.Asked))
		for _, platform := range links.Platforms {
			p.wrapped("  read to the end: ", placesText(platform.Asked)+" of "+platform.Platform+" "+shortDigest(platform.Digest))
		}
		for i := range links.Items {
			p.wrapped("  - ", linkLine(&links.Items[i], links.Items[i].Digest))
		}
	}
	if text := coverageText(row); text != "" {
		section(p, "Coverage")
		p.wrapped("  ", text)
		p.wrapped("  ", presenceNote)
	}
	if len(row.Lost) > 0 {
		section(p, "Lost links")
		for _, l := range row.Lost {
			p.wrapped("  - ", lossText(l))
		}
	}
}
